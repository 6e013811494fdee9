"""What `download` refuses before it removes anything from data/raw."""

import pytest
import yaml

from pipeline.errors import UserError
from pipeline.guard import guarded
from pipeline.stages import download


@pytest.fixture
def settings(config, tmp_path, monkeypatch):
    """The source `synthetic` with a data set of one's own that lists no record, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "facts").mkdir()
    (tmp_path / "data").mkdir()
    facts = {"name": "mine", "sampling_rate_hz": 360, "n_leads": 2}
    (tmp_path / "facts" / "dataset.yaml").write_text(yaml.safe_dump(facts))
    (tmp_path / "facts" / "records.csv").write_text("record,patient,side\n")
    data = config.data.model_copy(update={"source": "synthetic", "dataset": "facts"})
    return config.model_copy(update={"data": data})


def test_a_data_set_without_records_removes_none(settings, tmp_path):
    earlier = tmp_path / "data" / "raw" / "100.dat"
    earlier.parent.mkdir()
    earlier.write_bytes(b"samples")
    with pytest.raises(UserError, match=r"records\.csv: lists no record; add one"):
        download.main(settings)
    assert earlier.read_bytes() == b"samples"


def test_a_file_in_place_of_the_folder_is_named(settings, tmp_path, capsys):
    (tmp_path / "data" / "raw").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        guarded(lambda: download.main(settings))
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err == "error: data/raw: is in the way (File exists); move it away or name another path\n"
    )
