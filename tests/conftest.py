"""Fixtures that any test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mitdb_folder() -> Path:
    """The folder of the real MIT-BIH records; without one the test is skipped."""
    mirror = os.environ.get("MITDB_MIRROR", "")
    if not mirror or not Path(mirror).is_dir():
        pytest.skip("needs MITDB_MIRROR, a folder with the MIT-BIH records")
    return Path(mirror).resolve()
