"""What `evaluate` reads of a training, and what it says where that is missing or damaged."""

import pandas as pd
import pytest

from pipeline.errors import UserError
from pipeline.stages.run_results import read_history


def test_epochs_are_read(tmp_path):
    history = pd.DataFrame({"epoch": [1], "loss": [0.5], "val_loss": [0.4], "val_macro_f1": [0.3], "seconds": [2.0]})
    history.to_csv(tmp_path / "history.csv", index=False)
    pd.testing.assert_frame_equal(read_history(tmp_path / "history.csv"), history)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "not found; run `dvc repro`"),
        (b"", "damaged; delete it"),
        (b"epoch,loss\n1,0.5\n", "damaged; delete it"),
        (b"\xff\xfe\x00", "damaged; delete it"),
    ],
)
def test_epochs_that_cannot_be_read_name_the_remedy(tmp_path, content, complaint):
    if content is not None:
        (tmp_path / "history.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"history\.csv: {complaint}"):
        read_history(tmp_path / "history.csv")
