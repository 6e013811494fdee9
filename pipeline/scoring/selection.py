"""Which recordings a command line means: paths, folders and patterns."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Final

from pipeline.ecg.formats import recording_of
from pipeline.errors import UserError

_WILD: Final = frozenset("*?[")


@dataclass(frozen=True)
class Selection:
    """Recordings by path, in order, and the folder that the arguments speak of, whatever it holds by now."""

    root: Path
    recordings: list[Path]

    def named(self) -> dict[str, Path]:
        """Each recording by its path from the root.

        Recordings of one name in several folders differ by their folder; an EDF file keeps its extension.
        """
        absolute = map(_absolute, self.recordings)
        return {path.relative_to(self.root).as_posix(): path for path in absolute}


def selected(arguments: Sequence[Path]) -> Selection:
    """All recordings of paths, folders and patterns; of a folder the WFDB headers and EDF files in it and below it.

    The root is the folder itself, a path's parent, what a pattern names before its first wildcard, or what several
    have in common.

    Raises:
        UserError: a folder or a pattern has no recording.
    """
    found: list[Path] = []
    roots: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            root = argument
            below = _recordings(Path(folder) / file for folder, _, files in os.walk(argument) for file in files)
            if not below:
                raise UserError(f"{argument}: holds no recording (.hea or .edf)")
        elif _WILD & set(str(argument)) and not _is_there(argument):
            root = next(parent for parent in argument.parents if not _WILD & set(str(parent)))
            below = _recordings(Path(file) for file in glob(str(argument), recursive=True))
            below = below or _recordings(Path(file) for file in glob(f"{argument}.hea", recursive=True))
            if not below:
                raise UserError(f"{argument}: matches no recording (.hea or .edf)")
        else:
            root, below = argument.parent, [argument]
        roots.append(_absolute(root))
        found += below
    return Selection(Path(os.path.commonpath(roots)), found)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def _recordings(files: Iterable[Path]) -> list[Path]:
    return sorted({recording for file in files if (recording := recording_of(file)) is not None})


def _is_there(argument: Path) -> bool:
    return argument.is_file() or argument.with_name(f"{argument.name}.hea").is_file()
