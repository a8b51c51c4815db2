"""What `scanmill evaluate` is asked to do: a mesh against a scan, or checkpoints on a data set."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from schemas.errors import RequestError
from schemas.evaluation import PRESETS, Alignment, PresetName, Protocol
from schemas.options import Part, Shown
from schemas.path_checks import check_writable
from schemas.request_base import Request
from schemas.settings import angles_reader
from schemas.train_forms import DeviceChoice
from schemas.views import MAX_ANGLES

MIN_POINTS, MAX_POINTS = 100, 10_000_000
MAX_VIEW_PX = 4096


class ProtocolOptions(Request):
    """How figures are made: these decide them, and are stored with them."""

    preset: PresetName = "scanmill"
    """Protocol that is followed where nothing else is said: docs/evaluation.md."""
    points: Annotated[int | None, Shown(unset="of the preset")] = Field(
        default=None, ge=MIN_POINTS, le=MAX_POINTS
    )
    """Drawn from each surface."""
    align: Annotated[Alignment | None, Shown(unset="of the preset")] = None
    """How the mesh is moved onto the scan. scale: with a shift. similarity: with a turn too. icp:
    turn and shift alone."""
    view_yaws: Annotated[
        tuple[float, ...] | None,
        angles_reader("--view-yaws"),
        Shown("DEGREES", unset="of the preset"),
    ] = Field(default=None, max_length=MAX_ANGLES)
    """Views of silhouettes, normals and depth, as --yaws of render."""
    view_resolution: int = Field(default=512, ge=64, le=MAX_VIEW_PX)
    """Pixels a side of a view."""
    seed: int = Field(default=0, ge=0)
    """Of the drawn points and of the resampled items."""

    @property
    def protocol(self) -> Protocol:
        """Return the protocol: the preset, and what is said otherwise."""
        preset = PRESETS[self.preset]
        return Protocol(
            preset=self.preset,
            points=self.points or preset.points,
            seed=self.seed,
            sampling=preset.sampling,
            p2s_from=preset.p2s_from,
            align=self.align or preset.align,
            yaws=preset.yaws if self.view_yaws is None else self.view_yaws,
            resolution=self.view_resolution,
            source=preset.source,
        )


class EvaluateRequest(Request):
    """All of `scanmill evaluate`."""

    mesh: Annotated[str | None, Shown("MESH", word="MESH")] = None
    """Mesh or point cloud to measure: OBJ, PLY, GLB, or a scan's folder."""
    truth: Annotated[str | None, Shown("SCAN")] = None
    """What MESH is measured against: as MESH, in the same unit and place."""
    data: Annotated[tuple[str, ...], Shown("URI")] = ()
    """Data set whose samples are reconstructed and measured; may be repeated."""
    checkpoint: Annotated[tuple[str, ...], Shown("CHECKPOINT")] = ()
    """Weights to compare: runs, step folders, files; may be repeated."""
    normal_checkpoint: Annotated[str | None, Shown("CHECKPOINT")] = None
    """Of HDNet: weights of the normal estimator, which its depth estimators read."""
    split: Annotated[tuple[str, ...], Shown("SPLIT")] = Field(default=("test",), min_length=1)
    """Of --data; may be repeated."""
    out: Annotated[str, Shown("DIR")] = Field(default="evaluation", min_length=1)
    """Folder for figures and tables; with --data, what it holds already is not done again."""
    protocol: Annotated[ProtocolOptions, Part()] = Field(default_factory=ProtocolOptions)
    cm_per_unit: Annotated[
        float | None, Shown(unset="the scan's own unit, else it is 170 cm tall")
    ] = Field(default=None, gt=0)
    """Centimetres for a unit of MESH and SCAN."""
    max_items: Annotated[int | None, Shown(unset="all")] = Field(default=None, ge=1)
    """Samples of --data that are measured."""
    shown: int = Field(default=4, ge=0)
    """Samples of each checkpoint of which mesh, images and a page to turn it round are kept."""
    device: DeviceChoice = "auto"
    """Of the nets. auto: a GPU where there is one."""

    @property
    def is_of_data(self) -> bool:
        """Whether checkpoints are measured on a data set."""
        return bool(self.data or self.checkpoint)

    def check(self) -> None:
        """Refuse what is neither of the two, and what is missing; raises RequestError."""
        if self.is_of_data and (self.mesh is not None or self.truth is not None):
            raise RequestError(
                "MESH", found="given with --data", expected="one of the two",
                hint="Leave one of them out.",
            )  # fmt: skip
        if self.is_of_data:
            self._check_data()
        else:
            self._check_mesh()
        check_writable("--out", Path(self.out))

    def _check_data(self) -> None:
        for option, values in (("--data", self.data), ("--checkpoint", self.checkpoint)):
            if not values:
                raise RequestError(
                    option, found="none", expected="a data set and checkpoints",
                    hint=f"Give {option}.",
                )  # fmt: skip
        named = [("--checkpoint", path) for path in self.checkpoint]
        if self.normal_checkpoint is not None:
            named.append(("--normal-checkpoint", self.normal_checkpoint))
        for option, path in named:
            if not Path(path).exists():
                raise RequestError(
                    option, found=f"nothing at {path}", expected="weights of a training",
                    hint="Give the folder that `scanmill train --out` wrote.",
                )  # fmt: skip

    def _check_mesh(self) -> None:
        for option, path in (("MESH", self.mesh), ("--truth", self.truth)):
            if path is None:
                raise RequestError(
                    option, found="none",
                    expected="MESH and --truth SCAN, or --data and --checkpoint",
                    hint="See --help for what is possible.",
                )  # fmt: skip
            if not Path(path).exists():
                raise RequestError(
                    option, found=f"nothing at {path}",
                    expected="a file of a shape, or a scan's folder",
                    hint="Check the spelling; relative paths count from where the command runs.",
                )  # fmt: skip
