"""Baseline wander of the MIT-BIH Noise Stress Test Database 1.0.0, from PhysioNet or a mirror of it."""

from pathlib import Path
from typing import Final

from pipeline.config import DownloadConfig
from pipeline.sources.fetch import FetchReport, fetch_files
from pipeline.sources.mitdb import SUMS_FILE, read_sums

NSTDB_URL: Final = "https://physionet.org/files/nstdb/1.0.0/"
WAYS_OUT: Final = (
    "check the network and run the command again (what arrived is kept), set NSTDB_MIRROR to a folder or URL that "
    "holds the same files (bw.dat, bw.hea), or name other noises: --noise muscle --noise electrode"
)


def download_nstdb(facts: Path, folder: Path, settings: DownloadConfig, mirror: str | None) -> FetchReport:
    """Bring the record `bw` into `folder`, each file checked against the sums in the folder `facts`.

    `mirror` is a URL or a folder to take it from in PhysioNet's place. Raises UserError as `fetch_files` does.
    """
    return fetch_files(
        mirror or NSTDB_URL,
        read_sums(facts / SUMS_FILE),
        folder,
        settings.workers,
        settings.retries,
        settings.timeout_s,
        remedy=WAYS_OUT,
    )
