"""The command `heartbeat`: thin, every option documented; each command imports the libraries that it needs."""

# Each adds its commands to the app.
from pipeline.cli import evidence, models, monitoring, runs, scoring, training, tuning  # noqa: F401
from pipeline.cli.app import app


def main() -> None:
    """Entry point: a user's error is one line on stderr and exit code 2."""
    from pipeline.guard import guarded

    guarded(app)
