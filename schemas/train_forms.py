"""The stages of training and the forms of each: tables that options, launchers and nets go by.

PUBLISHED is how a stage was trained when it was published, FORMS what a new training takes where
nothing is named, MEANINGLESS which options change nothing in a stage.
"""

from dataclasses import dataclass
from typing import Final, Literal

StageName = Literal[
    "2k2k-normal", "2k2k-depth",
    "hdnet-normal", "hdnet-predict-normals", "hdnet-depth", "hdnet-video",
]  # fmt: skip
Precision = Literal["fp32", "bf16"]
Nets = Literal["all", "coarse"]
Heads = Literal["means", "centred", "published"]
DepthLossForm = Literal["masked", "published"]
NormalLossForm = Literal["masked", "published"]
Refinement = Literal["residual", "published"]
DepthGradient = Literal["detached", "published"]
MaskLossForm = Literal["single_sigmoid", "published"]
DepthNormals = Literal["from_depth", "in_place", "masked", "published"]
AdamRule = Literal["pytorch", "tensorflow"]
FrozenNorm = Literal["batch", "running"]
Schedule = Literal["published", "constant"]
BackgroundMode = Literal["stored", "fresh", "black"]
Occupancy = Literal["published", "crop"]
DeviceChoice = Literal["auto", "cpu", "cuda"]

NORMAL: Final = "2k2k-normal"
DEPTH: Final = "2k2k-depth"
HDNET_NORMAL: Final = "hdnet-normal"
PREDICT: Final = "hdnet-predict-normals"
HDNET_DEPTH: Final = "hdnet-depth"
VIDEO: Final = "hdnet-video"
BEGUN_BEFORE: Final[dict[StageName, StageName]] = {PREDICT: HDNET_NORMAL, VIDEO: HDNET_DEPTH}
"""Stages that go on with the weights of another one."""


@dataclass(frozen=True, slots=True)
class Published:
    """How a stage was trained: used where the request has no value. One of epochs and steps."""

    learning_rate: float
    schedule: Schedule
    batch: int
    epochs: int | None = None
    steps: int | None = None
    epsilon: float = 1e-8
    adam: AdamRule = "pytorch"


PUBLISHED: dict[StageName, Published] = {
    "2k2k-normal": Published(1e-4, "published", batch=1, epochs=499),
    "2k2k-depth": Published(1e-4, "published", batch=1, epochs=499),
    "hdnet-normal": Published(1e-3, "constant", batch=8, steps=1_710_000),
    "hdnet-depth": Published(1e-3, "constant", batch=8, steps=1_920_000),
    "hdnet-video": Published(
        1e-3, "constant", batch=1, steps=1_920_000, epsilon=0.1, adam="tensorflow"
    ),
}
"""Of the stages that train. For hdnet-video no number of steps is published: as hdnet-depth."""


FORMS: dict[StageName, dict[str, str]] = {
    "2k2k-normal": {
        "heads": "means", "normal_loss": "masked", "depth_loss": "masked",
        "depth_gradient": "detached", "mask_loss": "single_sigmoid",
    },
    "2k2k-depth": {
        "heads": "means", "depth_loss": "masked", "mask_loss": "single_sigmoid",
        "refinement": "residual", "occupancy": "published",
    },
    "hdnet-normal": {},
    "hdnet-depth": {"heads": "means", "depth_normals": "from_depth"},
    "hdnet-video": {"depth_normals": "from_depth"},
}  # fmt: skip
"""What a new training takes where the request names no form: what learns, by measurement.

A training that was begun goes on in its own. Source: docs/losses.md, "Which forms learn".
"""


_OF_2K2K = frozenset(
    {
        "nets", "heads", "normal_loss", "depth_loss", "depth_gradient", "mask_loss", "frozen_norm",
        "refinement", "occupancy",
        "background", "backgrounds", "no_augment",
    }
)  # fmt: skip
_OF_PHASE_1 = frozenset({"normal_loss", "depth_gradient"})
_OF_PHASE_2 = frozenset({"refinement"})
_OF_HDNET_DEPTH = frozenset({"depth_normals"})
MEANINGLESS: dict[StageName, frozenset[str]] = {
    "2k2k-normal": _OF_HDNET_DEPTH | _OF_PHASE_2,
    "2k2k-depth": _OF_HDNET_DEPTH | _OF_PHASE_1,
    "hdnet-normal": _OF_2K2K | _OF_HDNET_DEPTH,
    "hdnet-depth": _OF_2K2K - {"heads"},
    "hdnet-video": _OF_2K2K,
}
"""Options that would change nothing in a stage: they are refused, so that nobody trusts in them."""

PREDICT_OPTIONS = frozenset(
    {"stage", "data", "out", "init", "width", "workers", "device", "nproc", "max_restarts"}
)
"""Of hdnet-predict-normals; all others are meaningless there."""
