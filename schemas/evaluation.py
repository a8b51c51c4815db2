"""What an evaluation measures and by which protocol: values that are stored with every figure.

Lengths are centimetres, angles degrees. Equations and sources: docs/evaluation.md.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

RESULT_VERSION = 1

Alignment = Literal["none", "scale", "similarity", "icp"]
"""How the mesh is moved onto the scan before anything is measured."""

Sampling = Literal["surface", "vertices"]
"""Where P2S is taken: points drawn by area from the mesh's surface, or all of its vertices."""

P2sFrom = Literal["mesh", "scan"]
"""Which surface the points of P2S are on; the distance is to the other one."""

PresetName = Literal["scanmill", "pifuhd", "icon", "econ", "2k2k", "hdnet"]
PRESET_NAMES: tuple[PresetName, ...] = get_args(PresetName)

UnitSource = Literal["given", "file", "assumed_height", "data_set"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A protocol before anything of it is chosen otherwise. source: where it is described."""

    points: int
    sampling: Sampling
    p2s_from: P2sFrom
    align: Alignment
    yaws: tuple[float, ...]
    source: str


_QUARTER_TURNS = (0.0, 90.0, 180.0, 270.0)
PRESETS: dict[PresetName, Preset] = {
    "scanmill": Preset(
        100_000, "surface", "mesh", "none", _QUARTER_TURNS, 'docs/evaluation.md, "Protocol"',
    ),
    "pifuhd": Preset(
        100_000, "vertices", "mesh", "none", (0.0,),
        "Saito et al., PIFu (ICCV 2019), section 5, which PIFuHD (CVPR 2020) follows",
    ),
    "icon": Preset(
        1000, "surface", "scan", "none", _QUARTER_TURNS,
        "Xiu et al., ICON (CVPR 2022); its repository, lib/dataset/Evaluator.py",
    ),
    "econ": Preset(
        1000, "surface", "scan", "none", _QUARTER_TURNS,
        "Xiu et al., ECON (CVPR 2023); its repository, lib/dataset/Evaluator.py",
    ),
    "2k2k": Preset(
        100_000, "surface", "mesh", "icp", (0.0,),
        "Han et al., 2K2K (CVPR 2023); its repository has no evaluator",
    ),
    "hdnet": Preset(
        100_000, "surface", "mesh", "none", (0.0,),
        "Jafarian and Park (CVPR 2021); its repository has no evaluator",
    ),
}  # fmt: skip
"""What each one publishes and what was chosen where nothing is: docs/evaluation.md, "Presets"."""


class Frozen(BaseModel):
    """A stored value."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class Protocol(Frozen):
    """How figures were made: two of them can be compared where these are equal."""

    preset: PresetName
    points: int = Field(description="drawn from each surface")
    seed: int = Field(description="of the drawn points")
    sampling: Sampling = Field(description="points of P2S: drawn by area, or the mesh's vertices")
    p2s_from: P2sFrom = Field(description="the surface whose points P2S begins at")
    align: Alignment
    yaws: tuple[float, ...] = Field(description="degrees; views of silhouettes, normals and depth")
    resolution: int = Field(description="pixels a side of a view")
    unit: Literal["cm"] = "cm"
    source: str = Field(description="where the protocol is described")


class Convergence(Frozen):
    """How sure a mean over drawn points is, and how many points would make it as sure as asked.

    standard_error: of the mean over all points, from the spread of the means of disjoint subsets.
    """

    measure: str
    mean: float
    points: int
    subsets: int
    standard_error: float
    relative_error: float = Field(description="standard error by mean")
    points_needed: int = Field(description="for the relative error asked for")
    is_enough: bool


class AlignmentRecord(Frozen):
    """The similarity that moved the mesh: x' = scale * rotation x + shift."""

    method: Alignment
    scale: float = 1.0
    rotation_degrees: float = 0.0
    shift_cm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    iterations: int = 0


class SurfaceRecord(Frozen):
    """One of the two surfaces, as it was read."""

    path: str
    kind: Literal["mesh", "points"]
    vertices: int
    faces: int
    sha256: str | None = None


Measures = dict[str, float]
"""Figures by name; a name says its unit. Those that can't be measured are left out."""


class MeshResult(Frozen):
    """The figures of one mesh against one scan, and all that they depend on."""

    format_version: int = RESULT_VERSION
    mesh: SurfaceRecord
    scan: SurfaceRecord
    protocol: Protocol
    cm_per_unit: float
    unit_source: UnitSource
    alignment: AlignmentRecord
    measures: Measures
    convergence: tuple[Convergence, ...]
    warnings: tuple[str, ...] = ()
    versions: dict[str, str]
    seconds: float


class ItemResult(Frozen):
    """The figures of one sample for one checkpoint; error: why there are none."""

    sample_id: str
    checkpoint: str
    key: str = Field(description="digest of all that the figures depend on")
    measures: Measures = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: str = ""
    shown: str = Field(default="", description="folder of its mesh and images, below OUT")
    seconds: float = 0.0


class Interval(Frozen):
    """A mean over samples, with the bootstrap's interval."""

    mean: float
    low: float
    high: float
    items: int = Field(description="scans that the samples show")


class CheckpointResult(Frozen):
    """The figures of one checkpoint over all items."""

    title: str
    path: str
    digest: str
    measures: dict[str, Interval]
    failed: int


class DataResult(Frozen):
    """The figures of checkpoints over the items of a split."""

    format_version: int = RESULT_VERSION
    data: tuple[str, ...]
    split: tuple[str, ...]
    protocol: Protocol
    items: tuple[str, ...]
    checkpoints: tuple[CheckpointResult, ...]
    results: tuple[ItemResult, ...]
    confidence: float
    resamples: int
    versions: dict[str, str]


class EvaluateAnswer(Frozen):
    """The figures, and where they are."""

    files: tuple[str, ...] = Field(description="figures and tables")
    mesh: MeshResult | None = Field(default=None, description="of a mesh against a scan")
    data: DataResult | None = Field(default=None, description="of checkpoints on a data set")

    @property
    def failed(self) -> int:
        """How many items have no figures."""
        return 0 if self.data is None else sum(one.failed for one in self.data.checkpoints)
