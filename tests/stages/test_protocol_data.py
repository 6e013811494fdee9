"""What the stages of a protocol read, and what they say where it is missing or damaged."""

import pytest

from pipeline.errors import UserError
from pipeline.stages import protocol_data


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, r"kaggle\.parquet: not found; run `dvc repro split@kaggle`"),
        (b"", r"kaggle\.parquet: cannot be read \(.*\); run `dvc repro split@kaggle`"),
        (b"PAR1 cut short", r"kaggle\.parquet: cannot be read \(.*\); run `dvc repro split@kaggle`"),
    ],
)
def test_a_split_that_cannot_be_read_names_the_remedy(tmp_path, monkeypatch, content, complaint):
    monkeypatch.setattr(protocol_data, "SPLITS", tmp_path)
    if content is not None:
        (tmp_path / "kaggle.parquet").write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        protocol_data.load_protocol("kaggle")
