"""The ledger of promotions: which version was champion when, and who of two that promote at once wins.

MLflow moves an alias without asking what it stood on, so an alias cannot decide between two promotions. What decides
is the unique key (name, version) of MLflow's table of model versions: each promotion is an entry in a registered model
of its own, `<model>-promotions`, written whole by one `create_model_version`, which numbers the entries one after the
other whatever the number of writers. An entry says from which champion to which. It counts if that `from` is the
champion that the entries before it made; otherwise the champion had changed meanwhile and the entry is refused. The
alias `champion` follows the ledger: whoever finds it behind, as after a kill between the two, moves it on.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store

CHAMPION = "champion"
Action = Literal["promote", "rollback", "adopt"]
_NONE = "none"
_ALIAS_MOVED = "alias_moved"


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Attributes:
        number: Its place in the order of all entries.
        action: promote, rollback, or adopt: the alias was moved by other means and that stands.
        before: The champion it starts from.
        after: The champion it makes.
        at, by: When and by whom.
        verdict: What the gate said: passed, forced, or none was asked.
        reason: Why, in the words of who did it.
        counts: False for an entry that came second; the champion stayed what it was.
        settled: The alias is known to have been moved.
    """

    number: int
    action: Action
    before: int | None
    after: int
    at: str
    by: str
    verdict: str
    reason: str
    counts: bool
    settled: bool


def ledger_name(model: str) -> str:
    """The registered model that keeps a model's promotions."""
    return f"{model}-promotions"


def entries(store: Store, model: str) -> list[Entry]:
    """All entries, the first one first; [] where nothing was ever promoted.

    Raises UserError when the store fails.
    """
    with explained(store.uri):
        found = _all(store, ledger_name(model))
    read: list[Entry] = []
    champion: int | None = None
    for number, one in enumerate(found):
        before, after = _version(one.tags["from"]), int(one.tags["to"])
        counts = number == 0 or before == champion
        champion = after if counts else champion
        read.append(
            Entry(
                number=int(one.version),
                action=cast(Action, one.tags["action"]),
                before=before,
                after=after,
                at=one.tags["at"],
                by=one.tags["by"],
                verdict=one.tags["verdict"],
                reason=one.tags["reason"],
                counts=counts,
                settled=_ALIAS_MOVED in one.tags,
            )
        )
    return read


def champion_of(written: Sequence[Entry]) -> int | None:
    """The champion that the entries make."""
    return next((entry.after for entry in reversed(written) if entry.counts), None)


def settle(store: Store, model: str) -> int | None:
    """Bring alias and ledger together, and return the champion's version.

    A promotion whose alias was never moved is finished. An alias that was moved by other means stays where it is and is
    entered. Raises UserError when the store fails.
    """
    while True:
        written = entries(store, model)
        alias = _alias(store, model)
        made = [entry for entry in written if entry.counts]
        if alias is not None and (not made or (alias != made[-1].after and made[-1].settled)):
            append(
                store, model, "adopt", made[-1].after if made else None, alias, "none", "the alias was moved elsewhere"
            )
        elif made and (alias != made[-1].after or not made[-1].settled):
            _move(store, model, made[-1])
        else:
            return alias


def _move(store: Store, model: str, decided: Entry) -> None:
    """Move the alias as an entry says; should a later entry have moved it meanwhile, put that one's back."""
    while True:
        with explained(store.uri):
            store.client.set_registered_model_alias(model, CHAMPION, str(decided.after))
        latest = [entry for entry in entries(store, model) if entry.counts][-1]
        if latest.number == decided.number:
            with explained(store.uri):
                store.client.set_model_version_tag(ledger_name(model), str(decided.number), _ALIAS_MOVED, _now())
            return
        decided = latest


def append(
    store: Store, model: str, action: Action, before: int | None, after: int, verdict: str, reason: str
) -> Entry:
    """Write an entry; `counts` of the one returned says whether it decides. The alias is not touched.

    Raises UserError when the store fails.
    """
    name = ledger_name(model)
    tags = {
        "action": action,
        "from": _NONE if before is None else str(before),
        "to": str(after),
        "at": _now(),
        "by": _user(),
        "verdict": verdict,
        "reason": reason,
    }
    with explained(store.uri):
        _ensure(store, name, model)
        promoted = store.client.get_model_version(model, str(after))
        written = store.client.create_model_version(name, str(promoted.source), run_id=promoted.run_id, tags=tags)
    return next(entry for entry in entries(store, model) if entry.number == int(written.version))


def former_champions(written: Sequence[Entry]) -> list[int]:
    """The champions before the present one, the first one first; a rollback takes what it left off the list."""
    stack: list[int] = []
    for entry in (entry for entry in written if entry.counts):
        if not stack and entry.before is not None:
            stack.append(entry.before)
        if entry.action == "rollback" and entry.after in stack:
            del stack[stack.index(entry.after) + 1 :]
        else:
            stack.append(entry.after)
    return stack[:-1]


def _ensure(store: Store, name: str, model: str) -> None:
    try:
        store.client.create_registered_model(name, description=f"The promotions of `{model}`, one a version.")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _all(store: Store, name: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token = None
    while True:
        page = store.client.search_model_versions(f"name='{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda one: int(one.version))


def _alias(store: Store, model: str) -> int | None:
    with explained(store.uri):
        alias = store.client.get_registered_model(model).aliases.get(CHAMPION)
    return None if alias is None else int(alias)


def _version(text: str) -> int | None:
    return None if text == _NONE else int(text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # A container's user need not have a name.
        return "unknown"
