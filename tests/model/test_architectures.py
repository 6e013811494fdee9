"""The networks: what each computes, and from what."""

import keras
import numpy as np
import pytest

from pipeline.config import ContextConfig, ResidualConfig
from pipeline.ecg.context import CHANNELS, INTERVAL_FEATURES, RHYTHM_FEATURES
from pipeline.ecg.rows import ROW_SAMPLES
from pipeline.ecg.windows import WINDOW_SAMPLES
from pipeline.model.architectures import build_context, build_residual, keras_lstm
from pipeline.model.lstm import UnrolledBidirectionalLSTM
from pipeline.model.training import load_model, save_model

BEATS = 6


def shape(likeness: bool = False, members: int = 3) -> ContextConfig:
    return ContextConfig(filters=[3, 4], dense_units=6, lstm_units=[4], dropout=0.1, likeness=likeness, members=members)


def sequences(seed: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.standard_normal((2, BEATS, *each)).astype(np.float32)
        for each in ((WINDOW_SAMPLES, CHANNELS), (len(RHYTHM_FEATURES),))
    ]


@pytest.mark.parametrize("members", [1, 3])
def test_the_mean_of_members_is_what_counts(members):
    apart = build_context(shape(members=members), BEATS, UnrolledBidirectionalLSTM, apart=True)
    mean = build_context(shape(members=members))
    mean.set_weights(apart.get_weights())
    each = np.asarray(apart(sequences()))
    assert each.shape == (2, BEATS, members, 5)
    np.testing.assert_allclose(each.mean(axis=2), np.asarray(mean(sequences())), atol=1e-6)
    assert members == 1 or np.abs(each[:, :, 0] - each[:, :, 1]).max() > 0.01


def test_a_member_learns_by_itself():
    model = build_context(shape(members=2), BEATS, apart=True)
    model.compile(keras.optimizers.SGD(1.0), "sparse_categorical_crossentropy")
    before, labels = np.asarray(model(sequences())), np.zeros((2, BEATS, 2), np.int64)
    weights = np.zeros((2, BEATS, 2), np.float32)
    weights[..., 1] = 1
    model.fit(sequences(), labels, sample_weight=weights, verbose=0)
    change = np.abs(np.asarray(model(sequences())) - before).max(axis=(0, 1, 3))
    assert change[0] == 0
    assert change[1] > 0.01


@pytest.mark.parametrize("likeness", [False, True])
def test_likeness_is_read_where_it_is_told(likeness):
    model = build_context(shape(likeness=likeness))
    beats, rhythm = sequences()
    other = rhythm.copy()
    other[..., len(INTERVAL_FEATURES) :] += 1
    change = np.abs(np.asarray(model([beats, other])) - np.asarray(model([beats, rhythm]))).max()
    assert (change > 1e-3) == likeness


def test_the_residual_network_is_saved_as_it_is_trained(tmp_path):
    config = ResidualConfig(filters=[4, 6], lstm_units=[4, 3], dense_units=8, dropout=0.2)
    twin, plain = build_residual(config, UnrolledBidirectionalLSTM), build_residual(config, keras_lstm)
    rows = np.random.default_rng(2).random((64, ROW_SAMPLES, 1)).astype(np.float32)
    twin.compile("adam", "sparse_categorical_crossentropy")
    twin.fit(rows, np.arange(64) % 5, epochs=2, batch_size=16, verbose=0)
    plain.set_weights(twin.get_weights())
    save_model(plain, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.predict(rows, verbose=0), twin.predict(rows, verbose=0), atol=1e-5)
