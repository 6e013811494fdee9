"""The ledger of promotions: which version was champion when, and who of two that promote at once wins.

MLflow moves an alias without asking what it stood on, so an alias cannot decide between two promotions. What decides
is the unique key (name, version) of MLflow's table of model versions: each promotion is an entry in a registered model
of its own, `<model>-promotions`, written whole by one `create_model_version`, which numbers the entries one after the
other whatever the number of writers. An entry says from which champion to which. It counts if that `from` is the
champion that the entries before it made; otherwise the champion had changed meanwhile and the entry is refused. The
alias `champion` follows the ledger: whoever finds them apart, as after a kill between the two, moves it.

Why this holds: MLflow inserts a version and its tags in one transaction, whose number is one more than the highest that
is committed, under the primary key (workspace, name, version); of two that take one number the second fails and takes
the next. So no entry is seen before all that have a lower number, on SQLite and on PostgreSQL alike.
"""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast
from uuid import uuid4

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from pipeline.errors import UserError
from pipeline.tracking.failures import explained
from pipeline.tracking.store import Store

CHAMPION = "champion"
Action = Literal["promote", "rollback", "adopt"]
_NONE = "none"
_ID = "entry_id"
_ATTEMPTS = 20


@dataclass(frozen=True)
class Entry:
    """One line of the ledger.

    Attributes:
        number: Its place in the order of all entries.
        action: promote, rollback, or adopt: the champion was named before there was a ledger.
        before: The champion it starts from.
        after: The champion it makes.
        at, by: When and by whom.
        verdict: What the gate said: passed, forced, or none was asked.
        reason: Why, in the words of who did it.
        counts: False for an entry that came second; the champion stayed what it was.
        id: Unique to the call that wrote it.
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
    id: str


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
                id=one.tags[_ID],
            )
        )
    return read


def champion_of(written: Sequence[Entry]) -> int | None:
    """The champion that the entries make."""
    return next((entry.after for entry in reversed(written) if entry.counts), None)


def settle(store: Store, model: str) -> int | None:
    """Bring the alias to what the ledger says, and return the champion's version; None where there never was one.

    A champion that was named before there was a ledger is adopted as its first entry. From then on the ledger decides:
    an alias that stands elsewhere, after a kill or because it was moved by other means, is moved back. It is read again
    after each move, because a promotion that took its time may move it late. Where the champion's version was deleted,
    the alias is left alone, and the next entry starts from that champion.

    Raises UserError when the store fails.
    """
    while True:
        written = entries(store, model)
        champion, alias = champion_of(written), _alias(store, model)
        if champion == alias:
            return champion
        if champion is None:
            append(store, model, "adopt", None, cast(int, alias), "none", "champion before there was a ledger")
        elif _is_there(store, model, champion):
            with explained(store.uri):
                store.client.set_registered_model_alias(model, CHAMPION, str(champion))
        else:
            return champion


def append(
    store: Store, model: str, action: Action, before: int | None, after: int, verdict: str, reason: str
) -> Entry:
    """Write an entry; `counts` of the one returned says whether it decides. The alias is not touched.

    Raises UserError when the store fails.
    """
    name, written_once = ledger_name(model), uuid4().hex
    tags = {
        "action": action,
        "from": _NONE if before is None else str(before),
        "to": str(after),
        "at": _now(),
        "by": _user(),
        "verdict": verdict,
        "reason": reason,
        _ID: written_once,
    }
    with explained(store.uri):
        _ensure(store, name, model)
        _create(store, name, f"models:/{model}/{after}", tags)
    # A request that was sent twice, because its answer was lost, leaves two entries; the first may count.
    own = [entry for entry in entries(store, model) if entry.id == written_once]
    return next((entry for entry in own if entry.counts), own[-1])


def _create(store: Store, name: str, source: str, tags: dict[str, str]) -> None:
    """Add a version, again where MLflow gave up because others took the number each time: nothing was written then."""
    for attempt in range(_ATTEMPTS):
        try:
            store.client.create_model_version(name, source, tags=tags)
            return
        except MlflowException as error:
            if attempt == _ATTEMPTS - 1 or "Giving up after" not in str(error):
                raise


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
        page = store.client.search_model_versions(f"name='{name}'", order_by=["version_number ASC"], page_token=token)
        found += page
        token = page.token
        if not token:
            break
    if [int(one.version) for one in found] != list(range(1, len(found) + 1)):
        raise UserError(
            f"{store.shown}: {name} has lost entries, so its champion cannot be told; restore the store from a backup"
        )
    return found


def _alias(store: Store, model: str) -> int | None:
    with explained(store.uri):
        alias = store.client.get_registered_model(model).aliases.get(CHAMPION)
    return None if alias is None else int(alias)


def _is_there(store: Store, model: str, version: int) -> bool:
    with explained(store.uri):
        try:
            store.client.get_model_version(model, str(version))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
    return True


def _version(text: str) -> int | None:
    return None if text == _NONE else int(text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # A container's user need not have a name.
        return "unknown"
