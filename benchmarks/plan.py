"""What the command line asks of a benchmark, and what a benchmark answers."""

from dataclasses import dataclass
from typing import Any

from benchmarks.summary import Figure


@dataclass(frozen=True)
class Plan:
    """How to measure.

    Attributes:
        torch_python: An interpreter that has torch, or None.
        quick: Tiny sizes, one round: shows that the benchmarks run, measures nothing.
    """

    torch_python: str | None
    quick: bool

    @property
    def repeats(self) -> int:
        """Rounds of the short measurements."""
        return 1 if self.quick else 5


@dataclass(frozen=True)
class Result:
    """The settings that the benchmark's description names, and its figures."""

    settings: dict[str, Any]
    figures: list[Figure]
