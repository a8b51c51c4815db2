"""How the samples of each method are given to its nets and measured: a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from schemas.camera import CameraName
from schemas.errors import InputError
from schemas.evaluation import Measures, Protocol
from schemas.prediction import Method
from tasks.dataset.stored_sample import StoredSample
from tasks.evaluation.data_items import DataItem
from tasks.evaluation.person_scores import measure_maps, measure_mesh, read_target
from tasks.evaluation.shown_items import draw_person, draw_surface, write_shown
from tasks.evaluation.surface_scores import (
    measure_surface_maps,
    measure_surface_mesh,
    read_surface_target,
)
from tasks.reconstruction.sheets import ColoredMesh

NO_SCAN = "the scan is not at hand: meshes are compared with the stored depth"


@dataclass(frozen=True, slots=True)
class Predicted:
    """What the nets wrote of a sample. scale: on scene units. folder: None: nothing is shown."""

    item: DataItem
    sample: StoredSample
    arrays: Mapping[str, np.ndarray]
    resolution: int
    protocol: Protocol
    scale: float
    folder: Path | None


@dataclass(frozen=True, slots=True)
class Scored:
    """The figures of a sample. is_shown: mesh, images and page were written."""

    measures: Measures
    warnings: tuple[str, ...]
    is_shown: bool


@dataclass(frozen=True, slots=True)
class EvaluatedMethod:
    """camera: whose samples it takes. prepare: makes what the nets read, at a resolution."""

    camera: CameraName
    prepare: Callable[[StoredSample, int], Mapping[str, np.ndarray]]
    score: Callable[[Predicted], Scored]


def score_person(given: Predicted) -> Scored:
    """Measure what 2K2K predicted."""
    target = read_target(given.sample, given.resolution)
    return _score(
        given,
        measure_maps(target, given.arrays),
        lambda: measure_mesh(
            target, given.item, given.sample, given.arrays, given.protocol, scale=given.scale
        ),
        lambda: draw_person(target, given.arrays),
    )


def score_surface(given: Predicted) -> Scored:
    """Measure what HDNet predicted."""
    target = read_surface_target(given.sample)
    return _score(
        given,
        measure_surface_maps(target, given.arrays),
        lambda: measure_surface_mesh(
            target, given.item, given.sample, given.arrays, given.protocol
        ),
        lambda: draw_surface(target, given.arrays),
    )


def _score(
    given: Predicted,
    maps: Measures,
    measure: Callable[[], tuple[Measures, ColoredMesh]],
    draw: Callable[[], UInt8[np.ndarray, "H W 3"]],
) -> Scored:
    """Add the measures of the mesh to those of the maps; show both where a folder is given."""
    try:
        of_mesh, mesh = measure()
        if given.folder is not None:
            write_shown(given.folder, given.item.sample_id, mesh, draw())
    except InputError as error:
        return _without_mesh(maps, error)
    return _with_mesh(given, of_mesh | maps)


def _with_mesh(given: Predicted, measures: Measures) -> Scored:
    warnings = () if given.item.scan is not None else (NO_SCAN,)
    return Scored(measures, warnings, is_shown=given.folder is not None)


def _without_mesh(measures: Measures, error: InputError) -> Scored:
    return Scored(measures, (f"no mesh: {error}",), is_shown=False)


METHODS: dict[Method, EvaluatedMethod] = {
    "2k2k": EvaluatedMethod(
        "2k2k", lambda sample, side: read_target(sample, side).arrays, score_person
    ),
    "hdnet": EvaluatedMethod(
        "hdnet", lambda sample, _side: read_surface_target(sample).arrays, score_surface
    ),
}


def method_of(stage: str) -> Method:
    """Return the method whose stage a checkpoint is of; published ones are of 2K2K."""
    return "hdnet" if stage.startswith("hdnet") else "2k2k"
