"""Making a version champion: through the gate, past it with a reason, or back to an earlier one."""

import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.config import load_config
from pipeline.errors import UserError
from pipeline.promotion.gate import Verdict, examine
from pipeline.scoring.network import load_network
from pipeline.stages.protocol_data import load_protocol
from pipeline.tracking import ledger
from pipeline.tracking.exported import download_onnx
from pipeline.tracking.failures import explained
from pipeline.tracking.registry import CHALLENGER, VersionRecord, check_files, versions
from pipeline.tracking.store import Store, experiment_name

VERDICT_FOLDER = "promotion"
_LOOK = "test_look"


@dataclass(frozen=True)
class Moved:
    """The champion before and after."""

    model: str
    before: int | None
    after: int


def ask_gate(store: Store, protocol: str, version: int | None, *, keep: bool) -> Verdict:
    """Examine a version, by default the challenger, against the champion; the verdict is written on it where `keep`.

    Otherwise nothing is written, and so the test side is not looked at, whose looks are counted.

    Raises:
        UserError: there is no such version or nothing to examine it by, or the store fails.
    """
    model = experiment_name(protocol)
    known = versions(store, protocol)
    candidate = _chosen(store, model, known, version)
    champion = ledger.settle(store, model) if keep else _champion_as_found(store, model, known)
    rival = next((each for each in known if each.version == champion), champion)
    verdict = examine(store, protocol, candidate, rival, load_config(), load_protocol(protocol), look=keep)
    if keep:
        _write_on(store, model, candidate, verdict)
    return verdict


def make_champion(store: Store, protocol: str, verdict: Verdict, reason: str = "", *, force: bool = False) -> Moved:
    """Make the examined version champion, if the champion is still the one that the gate compared it with.

    Raises:
        UserError: the gate did not pass and it is not forced, the champion changed meanwhile, or the store fails.
    """
    model = experiment_name(protocol)
    if not verdict.passed and not force:
        raise UserError(f"{model} version {verdict.version}: did not pass the gate; the champion stays")
    if verdict.champion == verdict.version:
        return Moved(model, verdict.champion, verdict.version)
    said = "passed" if verdict.passed else "forced"
    return _move(store, model, "promote", verdict.champion, verdict.version, said, reason)


def roll_back(store: Store, protocol: str, version: int | None, reason: str) -> Moved:
    """Make a former champion champion again: the one before the present one, or a named one.

    Raises:
        UserError: there is no champion, none before it, or `version` never was one; its files are gone, or its exported
            network is none that can be served; or the store fails.
    """
    model = experiment_name(protocol)
    versions(store, protocol)
    champion = ledger.settle(store, model)
    if champion is None:
        raise UserError(f"{store.shown}: {model} has no champion to roll back; make one with `heartbeat promote`")
    former = ledger.former_champions(ledger.entries(store, model))
    ever = {entry.after for entry in ledger.entries(store, model) if entry.counts} | set(former)
    if version is None and not former:
        raise UserError(f"{model}: version {champion} is the first champion; there is none to roll back to")
    after = former[-1] if version is None else version
    if after not in ever or after == champion:
        listed = ", ".join(str(each) for each in sorted(ever - {champion})) or "none"
        raise UserError(f"{model}: version {after} is no former champion (there are: {listed}); promote it instead")
    check_files(store, protocol, after)
    _check_served(store, model, after)
    return _move(store, model, "rollback", champion, after, "none", reason)


def _check_served(store: Store, model: str, version: int) -> None:
    """Prove that the version's exported network, by which others label, is there and can be opened."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            load_network(download_onnx(store, f"models:/{model}/{version}", Path(folder)), threads=1)
        except UserError as error:
            raise UserError(f"{model} version {version}: cannot be served; the champion stays: {error}") from error


def _move(
    store: Store, model: str, action: ledger.Action, before: int | None, after: int, verdict: str, reason: str
) -> Moved:
    entry = ledger.append(store, model, action, before, after, verdict, reason)
    champion = ledger.settle(store, model)
    if not entry.counts:
        was = "none" if before is None else f"version {before}"
        raise UserError(
            f"{model}: the champion changed from {was} to version {champion} meanwhile; nothing was changed, "
            "run the same command again to compare with the new one"
        )
    return Moved(model, before, after)


def _champion_as_found(store: Store, model: str, known: list[VersionRecord]) -> int | None:
    """The champion that `settle` would return, without moving or writing anything."""
    decided = ledger.champion_of(ledger.entries(store, model))
    named = (each.version for each in known if ledger.CHAMPION in each.aliases)
    return decided if decided is not None else next(named, None)


def _chosen(store: Store, model: str, known: list[VersionRecord], version: int | None) -> VersionRecord:
    if version is None:
        found = [each for each in known if CHALLENGER in each.aliases]
        if not found:
            raise UserError(f"{store.shown}: {model} has no challenger; name a version with --version")
        return found[0]
    named = [each for each in known if each.version == version]
    if not named:
        listed = ", ".join(str(each.version) for each in known) or "none"
        raise UserError(f"{store.shown}: {model} has no version {version}; versions there are: {listed}")
    return named[0]


def _write_on(store: Store, model: str, candidate: VersionRecord, verdict: Verdict) -> None:
    """The verdict as tags of the version and as a file of its run; a look at the test side is counted."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    failed = [check.name for check in verdict.checks if not check.passed]
    tags = {
        "gate": "passed" if verdict.passed else "failed",
        "gate_failed": "; ".join(failed) or "none",
        "gate_at": at,
        "gate_against": "none" if verdict.champion is None else str(verdict.champion),
    }
    if verdict.looked:
        tags[f"{_LOOK}.{at.partition('+')[0]}"] = "for the veto of a promotion"
    with explained(store.uri), tempfile.TemporaryDirectory() as folder:
        for key, value in tags.items():
            store.client.set_model_version_tag(model, str(candidate.version), key, value)
        path = Path(folder) / f"version-{candidate.version}-{at.replace(':', '')}.json"
        content = tags | {"version": verdict.version, "checks": [check.as_json() for check in verdict.checks]}
        path.write_text(json.dumps(content, indent=2), encoding="utf-8")
        store.client.log_artifact(candidate.run_id, str(path), VERDICT_FOLDER)


def looks_at_test_side(known: list[VersionRecord]) -> int:
    """How often the gate has read figures of the test side, over all versions."""
    return sum(key.startswith(f"{_LOOK}.") for version in known for key in version.tags)
