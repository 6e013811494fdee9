"""A user's own annotated WFDB records, copied from a folder."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.errors import UserError
from pipeline.sources.local import copy_file


def copy_records(source: Path, records: Iterable[str], folder: Path) -> set[str]:
    """Copy header, signal files and `.atr` annotations of `records` from `source` to `folder`; return their names.

    Nothing is copied unless every file is there. Raises UserError naming the first that is
    missing, and a header that cannot be understood or names a file outside the folder.
    """
    if not source.is_dir():
        raise UserError(f"{source}: no such folder; set data.folder to the folder of records")
    names = dict.fromkeys(name for record in records for name in _record_files(source, record))
    missing = [name for name in names if not (source / name).is_file()]
    if missing:
        others = f" (and {len(missing) - 1} more files)" if len(missing) > 1 else ""
        raise UserError(f"{source / missing[0]}: missing{others}; add it, or take its record out of records.csv")
    for name in names:
        copy_file(source / name, folder / name)
    return set(names)


def _record_files(source: Path, record: str) -> Iterator[str]:
    header = source / f"{record}.hea"
    yield header.name
    if header.is_file():
        yield from _signal_files(header)
    yield f"{record}.atr"


def _signal_files(header: Path) -> Iterator[str]:
    """The files that the signal lines of a header name (WFDB's header(5)).

    After comments and blank lines the first line is `<record> <number of signals> ...`, and each
    of the next lines begins with the name of the file that holds that signal.
    """
    try:
        text = header.read_text(encoding="latin-1")
    except OSError as error:
        raise UserError(f"{header}: cannot be read ({error.strerror})") from error
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    if not lines or len(lines[0]) < 2 or not lines[0][1].isdecimal():
        raise UserError(f"{header}: not a WFDB header: no `<record> <number of signals>` line")
    if "/" in lines[0][0]:
        raise UserError(f"{header}: has several segments; join them into one record first")
    signals = lines[1 : 1 + int(lines[0][1])]
    if len(signals) < int(lines[0][1]):
        raise UserError(f"{header}: names {lines[0][1]} signals, but has {len(signals)} lines")
    for name, *_ in signals:
        if Path(name).name != name:
            raise UserError(f"{header}: {name} is outside the folder; put it beside its header")
        yield name
