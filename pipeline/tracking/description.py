"""The text that a version of a registered model is described by."""

from pipeline.tracking.lookup import RunRecord

_SIDES = ("test", "validation")
_CLASSES = ("N", "S", "V", "F", "Q")


def describe(run: RunRecord) -> str:
    """Markdown: a sentence on the run, then for each side a table of classes and the averages."""
    architecture = run.tags.get("architecture", "unnamed architecture")
    origin = f"run `{run.run_id}`"
    if "git_commit" in run.tags:
        origin += f", commit `{run.tags['git_commit'][:12]}`"
        if run.tags.get("git_dirty") == "true":
            origin += " with uncommitted changes"
    protocol = run.tags.get("protocol", "?")
    parts = [f"Model `{architecture}`, protocol `{protocol}`, from {origin}."]
    parts += [_table(run, side) for side in _SIDES if f"{side}.macro_f1" in run.metrics]
    return "\n\n".join(parts) + "\n"


def _table(run: RunRecord, side: str) -> str:
    lines = [
        f"**{side.capitalize()} side**",
        "",
        "| class | precision | recall | F1 | beats |",
        "|---|---|---|---|---|",
    ]
    for name in _CLASSES:
        if f"{side}.{name}.f1" in run.metrics:
            shares = [_share(run, f"{side}.{name}.{part}") for part in ("precision", "recall", "f1")]
            beats = run.metrics.get(f"{side}.{name}.support", 0)
            lines.append(f"| {name} | {' | '.join(shares)} | {beats:.0f} |")
    lines.append(
        f"\nAccuracy {_share(run, f'{side}.accuracy')}, "
        f"macro F1 {_share(run, f'{side}.macro_f1')}, "
        f"weighted F1 {_share(run, f'{side}.weighted_f1')}"
    )
    return "\n".join(lines)


def _share(run: RunRecord, name: str) -> str:
    return f"{run.metrics[name]:.4f}" if name in run.metrics else "-"
