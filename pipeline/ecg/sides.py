"""The sides of a split, and what identifies one."""

import hashlib

import pandas as pd

SIDES = ("train", "validation", "test")


def side_digest(beats: pd.DataFrame) -> str:
    """SHA-256 of a side: its records, samples and classes. Equal digests mean results on the same beats."""
    lines = (beats.record + " " + beats["sample"].astype(str) + " " + beats.aami).str.cat(sep="\n")
    return hashlib.sha256(lines.encode()).hexdigest()
