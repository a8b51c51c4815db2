"""The two stages of 2K2K: normals and coarse depth, then refined depth."""

from torch import nn

from training.loop.stage_types import Stage
from training.run_settings import ModelSettings
from training.twok2k.person_examples import (
    DepthExamples,
    NormalExamples,
    PersonExamples,
    prepare_depth,
    prepare_normal,
)
from training.twok2k.person_measures import depth_measures, normal_measures
from training.twok2k.person_nets import NormalPrediction, build_depth_nets, build_normal_nets
from training.twok2k.person_objectives import depth_objective, normal_objective
from training.twok2k.person_panels import depth_panels, normal_panels
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader, PersonSample
from training.twok2k.surface_nets import DepthPrediction

CONVENTIONS = {
    "input": "RGB in -1..1, square; joints in -1..1 of the picture",
    "depth_unit": "a quarter of the picture's side in pixel-depths; 2.0 is the scene's origin",
}


def _read_people(settings: ModelSettings, with_stored: bool) -> PersonReader:
    return PersonReader(settings.resolution, with_stored=with_stored)


def _normal_nets(settings: ModelSettings) -> nn.Module:
    return build_normal_nets(
        nets=settings.nets, width=settings.width, heads=settings.heads,
        depth_gradient=settings.depth_gradient,
    )  # fmt: skip


def _depth_nets(settings: ModelSettings) -> nn.Module:
    return build_depth_nets(
        width=settings.width, frozen_norm=settings.frozen_norm, heads=settings.heads,
        occupancy=settings.occupancy, form=settings.refinement,
    )  # fmt: skip


def _predict_normals(nets: nn.Module, examples: PersonExamples) -> NormalPrediction:
    prediction: NormalPrediction = nets(examples.image, examples.transforms)
    return prediction


def _predict_depth(nets: nn.Module, examples: PersonExamples) -> DepthPrediction:
    prediction: DepthPrediction = nets(examples.image, examples.transforms)
    return prediction


NORMAL_STAGE: Stage[PersonSample, PersonBatch, NormalExamples, NormalPrediction] = Stage(
    PEOPLE_2K2K, _normal_nets, CONVENTIONS, _read_people, prepare_normal, _predict_normals,
    normal_objective, normal_measures, normal_panels,
)  # fmt: skip

DEPTH_STAGE: Stage[PersonSample, PersonBatch, DepthExamples, DepthPrediction] = Stage(
    PEOPLE_2K2K, _depth_nets, CONVENTIONS, _read_people, prepare_depth, _predict_depth,
    depth_objective, depth_measures, depth_panels,
)  # fmt: skip
