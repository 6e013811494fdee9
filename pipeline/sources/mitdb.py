"""The MIT-BIH Arrhythmia Database 1.0.0, from PhysioNet or a mirror of it."""

import re
from pathlib import Path

from pipeline.config import DownloadConfig
from pipeline.errors import UserError
from pipeline.sources.fetch import FetchReport, fetch_files

MITDB_URL = "https://physionet.org/files/mitdb/1.0.0/"
SUMS_FILE = "SHA256SUMS.txt"
WAYS_OUT = (
    "check the network and run the command again (what arrived is kept), "
    "or set MITDB_MIRROR to a folder or URL that holds the same files (100.dat, 100.hea, ...), "
    "such as the unpacked mit-bih-arrhythmia-database-1.0.0.zip "
    "from https://physionet.org/content/mitdb/1.0.0/, "
    "or run `make demo`, which needs no records"
)
_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *]([\w.-]+)")


def download_mitdb(dataset_folder: Path, folder: Path, settings: DownloadConfig, mirror: str | None) -> FetchReport:
    """Bring the records into `folder`, each file checked against the sums in `dataset_folder`.

    `mirror` is a URL or a folder to take them from in PhysioNet's place. Raises UserError as
    `fetch_files` does, naming the ways to get the records without a network.
    """
    return fetch_files(
        mirror or MITDB_URL,
        read_sums(dataset_folder / SUMS_FILE),
        folder,
        settings.workers,
        settings.retries,
        settings.timeout_s,
        remedy=WAYS_OUT,
    )


def read_sums(path: Path) -> dict[str, str]:
    """Read `sha256sum`'s list, `<sha256>  <file>` a line, as file name to sum.

    Raises UserError when it cannot be read or a line has another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore it from Git") from error
    sums = {}
    for number, line in enumerate(lines, 1):
        match = _SUM_LINE.fullmatch(line)
        if match is None:
            raise UserError(f"{path}:{number}: not `<sha256>  <file>`; restore the file from Git")
        sums[match[2]] = match[1]
    return sums
