"""The command `heartbeat`: thin, every option documented; each command imports the libraries that it needs."""

from pipeline.cli import (  # noqa: F401  # Each adds its commands to the app.
    evidence,
    models,
    monitoring,
    runs,
    scoring,
    serving,
    training,
    tuning,
)
from pipeline.cli.app import app


def main() -> None:
    """Entry point: a user's error is one line on stderr and exit code 2."""
    from pipeline.guard import guarded

    guarded(app)
