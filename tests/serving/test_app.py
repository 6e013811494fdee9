"""The service says what `heartbeat score` says, refuses what it cannot label, and holds under load."""

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.ecg.recordings import Signal
from pipeline.errors import UserError
from pipeline.scoring.batch import score_records
from pipeline.scoring.labelling import BeatSource
from pipeline.scoring.network import load_network
from pipeline.scoring.score import score_recording
from pipeline.serving.limits import LIMITS, Limits
from pipeline.serving.messages import read_recording
from pipeline.serving.served import Served, file_model


@pytest.fixture(scope="module")
def client(running, model_files):
    with running(file_model(model_files[0]), limits=Limits(body_bytes=2**20, receive_s=5)) as client:
        yield client


def sample(client, name, /, **labels):
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for each in family.samples:
            if each.name == name and labels.items() <= each.labels.items():
                return each.value
    return 0.0


def test_labels_are_those_of_heartbeat_score(client, ecg, model_files, tmp_path):
    path, signal, beats = ecg
    sent = {"record": "106", "fs_hz": signal.fs_hz, "signal_mv": signal.millivolts.T.tolist()}
    for source, request in (
        (BeatSource(annotator="atr"), {**sent, "beats": beats.tolist()}),
        (BeatSource(detect=True), sent),
    ):
        score_records(model_files[0], [path], tmp_path / "beats.parquet", source=source)
        expected = pd.read_parquet(tmp_path / "beats.parquet")
        answered = client.post("/beats", json=request)
        assert answered.status_code == 200
        assert answered.json()["record"] == "106"
        found = pd.DataFrame(answered.json()["beats"])
        pd.testing.assert_frame_equal(found, expected.drop(columns="record"), check_dtype=False)


def test_a_strip_says_which_model_answered(client, strip, model_files):
    answered = client.post("/beats", json=strip).json()
    assert answered["model"] == client.get("/ready").json()
    assert answered["model"]["name"] == str(model_files[0])
    assert [beat["sample"] for beat in answered["beats"]] == strip["beats"]
    assert client.get("/health").json() == {"status": "alive"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"signal_mv": []}, "signal_mv: empty"),
        ({"signal_mv": [[], []]}, "signal_mv: 0 samples a lead"),
        ({"signal_mv": [[0.5]]}, "signal_mv: 1 sample a lead"),
        ({"signal_mv": [[0.0, 1.0]] * 12}, "signal_mv: .* at most 2 items"),
        ({"signal_mv": [[0.0] * 500, [0.0] * 499]}, "signal_mv: leads of 500 and 499 samples"),
        ({"signal_mv": [0.0] * 500}, "signal_mv.0: "),
        ({"signal_mv": [["0.0"] * 500]}, "signal_mv.0.0: "),
        ({"signal_mv": [[None] * 500]}, "signal_mv: no valid sample"),
        ({"signal_mv": [[1e6] * 500]}, "signal_mv: reaches 1e\\+06 mV"),
        ({"signal_mv": [[0.0] * 200_000], "fs_hz": 50, "beats": None}, "signal_mv: 1.1 hours long"),
        ({"fs_hz": 1}, "fs_hz: 1 Hz; send a signal of 50"),
        ({"fs_hz": 0}, "fs_hz: 0 Hz"),
        ({"fs_hz": 1e9}, "fs_hz: 1e\\+09 Hz"),
        ({"fs_hz": None}, "fs_hz: "),
        ({"beats": [3600]}, "beats: 3600 lies outside the signal of 3600 samples"),
        ({"beats": [-1]}, "beats: -1 lies outside"),
        ({"beats": [10**30]}, "beats: not a list"),
        ({"beats": [900, 300]}, "beats: not ascending"),
        ({"beats": [300, 300]}, "beats: not ascending"),
        ({"beats": [300.5]}, "beats.0: "),
        ({"beats": list(range(20_001))}, "beats: .* at most 20000 items"),
        ({"signal": [[1.0]]}, "signal: "),
        ({"record": "x" * 1000}, "record: "),
    ],
)
def test_a_recording_that_cannot_be_labelled_is_refused_in_one_sentence(client, strip, change, told):
    answered = client.post("/beats", json={**strip, **change})
    assert answered.status_code == 422
    detail = answered.json()["detail"]
    assert pd.Series(detail).str.match(told).all(), detail
    assert "\n" not in detail
    assert client.post("/beats", json=strip).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"[" * 100_000])
def test_a_body_that_is_no_recording(client, content):
    answered = client.post("/beats", content=content)
    assert answered.status_code == 422
    assert answered.json()["detail"].startswith("body: ")


def test_nan_infinity_and_null_hold_the_last_valid_sample(client, strip, model_files):
    gap = np.array(strip["signal_mv"])
    gap[0, 100:120] = np.nan
    as_null = {**strip, "signal_mv": [[None if np.isnan(value) else value for value in lead] for lead in gap.tolist()]}
    signal = Signal("106", strip["fs_hz"], gap.T.astype(np.float32))
    expected = score_recording(load_network(model_files[0], 1), signal, np.array(strip["beats"]))
    answered = client.post("/beats", json=as_null).json()["beats"]
    pd.testing.assert_frame_equal(pd.DataFrame(answered), expected.drop(columns="record"), check_dtype=False)


@pytest.mark.parametrize("level", [0.0, -5.12, 5.11])
def test_a_flat_or_saturated_recording_is_labelled_where_beats_are_named(client, strip, level):
    flat = {**strip, "signal_mv": [[level] * 3600] * 2}
    assert len(client.post("/beats", json=flat).json()["beats"]) == len(strip["beats"])
    assert client.post("/beats", json={**flat, "beats": None}).json()["beats"] == []
    assert client.post("/beats", json={**flat, "beats": []}).json()["beats"] == []


def test_a_body_over_the_limit(client):
    stated = client.post("/beats", content=b" " * (2**20 + 1))
    unstated = client.post("/beats", content=iter([b" " * 2**19] * 3))
    for answered in (stated, unstated):
        assert answered.status_code == 413
        assert "larger than 1 MiB" in answered.json()["detail"]


def test_more_numbers_than_the_limit(running, model_files, strip):
    with running(file_model(model_files[0]), limits=Limits(numbers=8000)) as client:
        assert client.post("/beats", json=strip).status_code == 200
        answered = client.post("/beats", json={**strip, "signal_mv": [[0.0] * 5000] * 2})
        assert answered.status_code == 413
        assert "more than 8,000 numbers" in answered.json()["detail"]


def test_an_hour_of_two_leads_fits():
    assert LIMITS.numbers > 2 * 3600 * 360
    assert LIMITS.body_bytes > 9 * 2 * 3600 * 360


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"fs_hz": 360, "signal_mv": [[%b0]]}' % (b'"",' * 200_000), "signal_mv.0.0: "),
        (b'{"fs_hz": 360, "signal_mv": [%b0]}' % (b"0," * 200_000), "signal_mv.0: "),
        (b'{"fs_hz": 360, "signal_mv": [[0]], "beats": [%b0]}' % (b"0.5," * 200_000), "beats.0: "),
        (b'{"fs_hz": 360, "signal_mv": [%b[0]]}' % (b"[]," * 200_000), "body: .* one list a lead, not one a sample"),
        (b'{%b"fs_hz": 360}' % b"".join(b'"a%d":0,' % place for place in range(200_000)), "body: has more fields"),
    ],
)
def test_many_mistakes_cost_as_little_as_one(content, told):
    tracemalloc.start()
    with pytest.raises(UserError, match=told):
        read_recording(content)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 * 2**20


def test_another_address_or_method(client):
    assert client.get("/beats").status_code == 405
    assert client.get("/nothing").status_code == 404


def test_the_api_describes_itself(client):
    described = client.get("/openapi.json").json()
    post = described["paths"]["/beats"]["post"]
    sent = post["requestBody"]["content"]["application/json"]["schema"]
    assert sent["required"] == ["fs_hz", "signal_mv"]
    assert {"200", "413", "422", "503", "504"} <= set(post["responses"])
    assert client.post("/beats", json=sent["example"]).status_code == 200


def test_metrics_count_requests_and_beats_by_class(client, strip):
    def counted():
        answered = [sample(client, "heartbeat_requests_total", status=status) for status in ("200", "422")]
        return np.array([*answered, sample(client, "heartbeat_request_seconds_count"), *beats()])

    def beats():
        return [sample(client, "heartbeat_beats_total", aami=name) for name in "NSVFQ"]

    before = counted()
    labelled = pd.Series([beat["predicted"] for beat in client.post("/beats", json=strip).json()["beats"]])
    client.post("/beats", json={})
    expected = [1, 1, 2, *(int((labelled == name).sum()) for name in "NSVFQ")]
    np.testing.assert_array_equal(counted() - before, expected)
    model = client.get("/ready").json()
    assert sample(client, "heartbeat_model", **model) == 1


class Gate:
    """A network that answers when told to."""

    def __init__(self, network):
        self._network = network
        self.open = threading.Event()
        self.waiting = 0

    def probabilities(self, inputs):
        self.waiting += 1
        assert self.open.wait(60)
        return self._network.probabilities(inputs)


def gated(model_file):
    gate = Gate(load_network(model_file, 1))
    return gate, lambda than: Served(gate, "gated", "1") if than is None else None


def test_what_is_too_much_is_refused_at_once_and_the_rest_is_answered(running, until, model_files, strip):
    gate, newer = gated(model_files[0])
    with running(newer, limits=Limits(workers=1, waiting=2)) as client, ThreadPoolExecutor(3) as senders:
        taken = [senders.submit(client.post, "/beats", json=strip) for _ in range(3)]
        until(lambda: sample(client, "heartbeat_requests_inside") == 3)
        refused = client.post("/beats", json=strip)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
        assert "try again" in refused.json()["detail"]
        assert client.get("/health").status_code == 200
        gate.open.set()
        assert [each.result().status_code for each in taken] == [200, 200, 200]
        until(lambda: sample(client, "heartbeat_requests_inside") == 0)
        assert client.post("/beats", json=strip).status_code == 200


def test_a_request_that_takes_too_long_is_given_up_and_its_place_comes_back(running, until, model_files, strip):
    gate, newer = gated(model_files[0])
    with running(newer, limits=Limits(workers=1, waiting=0, answer_s=0.2)) as client:
        answered = client.post("/beats", json=strip)
        assert answered.status_code == 504
        assert "not labelled within 0.2 s" in answered.json()["detail"]
        assert client.post("/beats", json=strip).status_code == 503
        gate.open.set()
        until(lambda: sample(client, "heartbeat_requests_inside") == 0)


def test_requests_that_are_under_way_at_the_end_are_answered(running, until, model_files, strip):
    gate, newer = gated(model_files[0])
    with ThreadPoolExecutor(1) as sender:
        with running(newer) as client:
            under_way = sender.submit(client.post, "/beats", json=strip)
            until(lambda: gate.waiting)
            threading.Timer(0.2, gate.open.set).start()
        assert under_way.result().status_code == 200
