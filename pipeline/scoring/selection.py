"""Which recordings a command line means: paths, folders and patterns."""

import os
from collections.abc import Iterable, Sequence
from glob import glob
from pathlib import Path
from typing import Final

from pipeline.ecg.formats import recording_of
from pipeline.errors import UserError

_WILD: Final = frozenset("*?[")


def selected(arguments: Sequence[Path]) -> list[Path]:
    """Recordings by path, in order: of a folder all WFDB headers and EDF files in it and below it.

    Raises:
        UserError: a folder or a pattern has no recording.
    """
    found: list[Path] = []
    for argument in arguments:
        if argument.is_dir():
            below = _recordings(Path(folder) / file for folder, _, files in os.walk(argument) for file in files)
            if not below:
                raise UserError(f"{argument}: holds no recording (.hea or .edf)")
        elif _WILD & set(str(argument)) and not _is_there(argument):
            below = _recordings(Path(file) for file in glob(str(argument), recursive=True))
            below = below or _recordings(Path(file) for file in glob(f"{argument}.hea", recursive=True))
            if not below:
                raise UserError(f"{argument}: matches no recording (.hea or .edf)")
        else:
            below = [argument]
        found += below
    return found


def named(recordings: Iterable[Path]) -> tuple[Path, dict[str, Path]]:
    """The folder that all recordings lie in or below, and each recording by its path from there.

    Recordings of one name in several folders differ by their folder; an EDF file keeps its extension.
    """
    absolute = [Path(os.path.abspath(path)) for path in recordings]
    root = Path(os.path.commonpath([path.parent for path in absolute]))
    return root, {path.relative_to(root).as_posix(): path for path in absolute}


def _recordings(files: Iterable[Path]) -> list[Path]:
    return sorted({recording for file in files if (recording := recording_of(file)) is not None})


def _is_there(argument: Path) -> bool:
    return argument.is_file() or argument.with_name(f"{argument.name}.hea").is_file()
