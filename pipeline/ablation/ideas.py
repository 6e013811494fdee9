"""The ideas that are taken out or changed, one at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.config import Config, checked_config
from pipeline.ecg.context import CHANNELS, INTERVAL_FEATURES
from pipeline.ecg.windows import WINDOW_LEADS

BASELINE: Final = "baseline"
PROTOCOL: Final = "interpatient"

_VARIATION: Final = f"train.variation.{PROTOCOL}"
VARIATIONS: Final = ("lead_swap", "lead_loss", "disturbance", "gain", "tempo")


@dataclass(frozen=True)
class Idea:
    """One row of the table.

    Attributes:
        words: What is other than in params.yaml.
        settings: Overrides of params by dotted key.
        epochs_factor: Times the epochs of the other rows.
        features: Rhythm features that the network sees as zeros.
        channels: Channels of the beats that it sees as zeros.
        one_lead: Whether recordings lack their second lead.
    """

    words: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    epochs_factor: int = 1
    features: tuple[str, ...] = ()
    channels: tuple[int, ...] = ()
    one_lead: bool = False


IDEAS: Final[dict[str, Idea]] = {
    BASELINE: Idea("as in params.yaml, but one member"),
    "three_members": Idea("the mean of three members", {"model.context.members": 3}),
    "no_rhythm": Idea("no RR intervals", features=INTERVAL_FEATURES),
    "likeness": Idea("told the likeness of beats", {"model.context.likeness": True}),
    "one_lead": Idea("the first lead alone", one_lead=True),
    "no_typical_beat": Idea("no difference from the typical beat", channels=tuple(range(WINDOW_LEADS, CHANNELS))),
    "no_variation": Idea("training stretches as they are", {f"{_VARIATION}.{name}": 0.0 for name in VARIATIONS}),
    "no_noise": Idea("no noise and slopes in training", {f"{_VARIATION}.disturbance": 0.0}),
    "fewer_generated_patients": Idea(
        "48 generated patients, all in each epoch",
        {f"{_VARIATION}.synthetic_patients": 48, f"{_VARIATION}.patients_an_epoch": 48},
    ),
    "no_generated_patients": Idea(
        "real patients alone", {f"{_VARIATION}.synthetic_patients": 0, f"{_VARIATION}.patients_an_epoch": 0}
    ),
    "long_stretches": Idea(
        "stretches of 128 beats, 4 at once", {"train.context.stretch_beats": 128, "train.context.batch_size": 4}
    ),
    "no_dropout": Idea("no dropout", {"model.context.dropout": 0.0}),
    "more_dropout": Idea("dropout .5", {"model.context.dropout": 0.5}),
    "twice_the_epochs": Idea("twice the epochs", epochs_factor=2),
}


def config_of(config: Config, idea: Idea, epochs: int | None) -> Config:
    """The params with the idea's changes, for one network over consecutive beats.

    The last epoch's weights are kept: the fold that is judged picks nothing.

    Args:
        epochs: Of the other rows; None for the network's own number.
    """
    content = config.model_dump()
    content["model"]["architecture"] = "context"
    content["train"]["epochs"] = (epochs or content["train"]["context"]["epochs"]) * idea.epochs_factor
    content["train"]["context"]["keep"] = "last"
    content["model"]["context"]["members"] = 1
    for key, value in idea.settings.items():
        *sections, name = key.split(".")
        section = content
        for each in sections:
            section = section[each]
        section[name] = value
    return checked_config(content, f"idea {idea.words!r}")
