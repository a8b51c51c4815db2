"""What is minimised and what is measured, with predictions that are known to be right or wrong."""

import math
from pathlib import Path

import pytest
import torch

from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import InTurn
from training.data.shard_index import open_index
from training.loop.measures import angles_degrees, is_better, means
from training.loop.sheets import draw_curve, draw_sheet
from training.run_settings import ModelSettings
from training.twok2k.person_examples import (
    DepthExamples,
    NormalExamples,
    prepare_depth,
    prepare_normal,
)
from training.twok2k.person_measures import depth_measures, normal_measures
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.person_objectives import depth_objective, normal_objective
from training.twok2k.person_panels import normal_panels
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader
from training.twok2k.surface_nets import DepthPrediction
from training.twok2k.targets import DepthTargets

SETTINGS = ModelSettings(stage="2k2k-normal", resolution=256)
MASKED = SETTINGS.model_copy(update={"depth_loss": "masked"})
SURE = 60.0
FOCAL = 256 / (2 * math.tan(math.radians(25)))
DEPTH_TERMS = {"depth_front", "depth_back", "depth_normal_front", "depth_normal_back", "mask"}


@pytest.fixture(scope="module")
def batch(dataset: Path) -> PersonBatch:
    """Return the first held-out ellipsoid, without augmentation."""
    samples = open_index([str(dataset)], PEOPLE_2K2K).of_splits(["val"])
    reader = PersonReader(256, with_stored=True)
    loader = Loader(reader, samples, InTurn(0, 1), AugmentationSampler(), workers=1)
    return next(loader.batches(0, 1))


@pytest.fixture(scope="module")
def prepared(batch: PersonBatch) -> NormalExamples:
    """Return it as phase 1 sees it."""
    return prepare_normal(batch, SETTINGS)


@pytest.fixture(scope="module")
def refined(batch: PersonBatch) -> DepthExamples:
    """Return it as phase 2 sees it."""
    return prepare_depth(batch, SETTINGS)


def perfect_depth(truth: DepthTargets) -> DepthPrediction:
    logit = torch.where(truth.inside, SURE, -SURE)
    return DepthPrediction(truth.front_filled, truth.back, logit)


def perfect(prepared: NormalExamples) -> NormalPrediction:
    depth = perfect_depth(prepared.coarse)
    return NormalPrediction(prepared.coarse.normals, dict(prepared.part_normals), depth)


def test_phase_1_has_twelve_normal_terms_and_five_of_the_coarse_depth(
    prepared: NormalExamples,
) -> None:
    nets = ("whole", "head", "upper_body", "arms", "legs", "feet")
    normals = {f"normal_{net}_{side}" for net in nets for side in ("front", "back")}
    assert set(normal_objective(perfect(prepared), prepared, SETTINGS)) == normals | DEPTH_TERMS


def test_a_perfect_prediction_costs_nothing_but_the_silhouette_of_the_front(
    prepared: NormalExamples,
) -> None:
    terms = normal_objective(perfect(prepared), prepared, SETTINGS)
    # The truth's normals are taken while the background is 0, the prediction's where it is 6.
    silhouette = float(terms.pop("depth_normal_front"))
    assert sum(float(term) for term in terms.values()) < 1e-5
    assert 0 < silhouette < 0.01


def test_masked_forms_cost_nothing_for_a_perfect_prediction(prepared: NormalExamples) -> None:
    terms = normal_objective(perfect(prepared), prepared, MASKED)
    assert sum(float(term) for term in terms.values()) < 1e-5


def test_masked_forms_do_not_see_what_is_predicted_outside_the_person(
    refined: DepthExamples,
) -> None:
    truth = refined.full
    front, back = (
        torch.where(truth.inside, depth + 0.05, 1.0) for depth in (truth.front, truth.back)
    )
    terms = depth_objective(
        DepthPrediction(front, back, torch.where(truth.inside, SURE, -SURE)), refined, MASKED
    )
    # 0.05 is below beta: 0.85 * 0.05^2 / 0.2, whatever the share of the person in the image.
    assert float(terms["depth_front"]) == pytest.approx(0.85 * 0.05**2 / 0.2, rel=1e-3)
    assert float(terms["depth_normal_front"]) < 1e-6


def test_a_depth_that_is_off_by_a_tenth_costs_its_smooth_l1(prepared: NormalExamples) -> None:
    right = perfect(prepared)
    moved = DepthPrediction(right.coarse.front, right.coarse.back + 0.1, right.coarse.mask_logit)
    prediction = NormalPrediction(right.whole, right.parts, moved)
    terms = normal_objective(prediction, prepared, SETTINGS)
    assert float(terms["depth_back"]) == pytest.approx(0.85 * 0.1**2 / 2, rel=1e-4)


def test_arms_count_four_times(prepared: NormalExamples) -> None:
    right = perfect(prepared)
    off = {group: value + 0.01 for group, value in right.parts.items()}
    prediction = NormalPrediction(right.whole, off, right.coarse)
    terms = normal_objective(prediction, prepared, SETTINGS)
    # The likeness is 0.5 * 0.85 * 0.01 a crop; the structure part is one mean over all crops.
    structure = float(terms["normal_head_front"]) - 0.5 * 0.85 * 0.01
    likeness_of_four = 4 * 0.5 * 0.85 * 0.01
    assert likeness_of_four < float(terms["normal_arms_front"]) < likeness_of_four + 2 * structure


def test_phase_2_asks_for_full_depth_its_normals_and_the_mask(refined: DepthExamples) -> None:
    terms = depth_objective(perfect_depth(refined.full), refined, SETTINGS)
    assert set(terms) == DEPTH_TERMS
    assert float(terms["depth_front"] + terms["depth_back"] + terms["mask"]) < 1e-6


def test_a_perfect_prediction_measures_zero_and_full_overlap(prepared: NormalExamples) -> None:
    measured = means(normal_measures(perfect(prepared), prepared, SETTINGS))
    assert measured.pop("mask_overlap") == 1
    assert max(measured.values()) < 0.1


def test_depth_errors_are_in_pixel_depths_and_millimetres(refined: DepthExamples) -> None:
    right = perfect_depth(refined.full)
    moved = DepthPrediction(right.front + 1 / 64, right.back, right.mask_logit)
    measured = means(depth_measures(moved, refined, SETTINGS))
    # 64 pixel-depths are one network unit at 256; one pixel-depth is 1 / f scene units of 2.5 m.
    assert measured["depth_front_pixel_depths"] == pytest.approx(1, rel=1e-4)
    assert measured["depth_front_millimetres"] == pytest.approx(2500 / FOCAL, rel=1e-4)
    assert measured["depth_back_pixel_depths"] == pytest.approx(0, abs=1e-6)


def test_persons_pixels_that_the_mask_misses_count_as_far_off(refined: DepthExamples) -> None:
    right, upper = perfect_depth(refined.full), torch.arange(256).view(1, 1, 256, 1) < 128
    missed = DepthPrediction(right.front, right.back, torch.where(upper, right.mask_logit, -SURE))
    measured = means(depth_measures(missed, refined, SETTINGS))
    # The ellipsoid's lower half: front 6 and back 0 there are metres away.
    assert measured["depth_front_far_off_share"] == pytest.approx(0.5, abs=0.01)
    assert measured["depth_back_far_off_share"] == pytest.approx(0.5, abs=0.01)
    assert measured["depth_front_millimetres"] == pytest.approx(0, abs=0.01)


def test_pixels_that_are_taken_for_a_person_count_as_far_off_too(refined: DepthExamples) -> None:
    right, everywhere = perfect_depth(refined.full), torch.full_like(refined.full.front, SURE)
    wrong = DepthPrediction(right.front - 2, right.back, everywhere)
    measured = means(depth_measures(wrong, refined, SETTINGS))
    # One unit is 64 pixel-depths of 2.5 m / f: front off by 2 on every pixel, back by 0.
    assert measured["depth_front_far_off_share"] == pytest.approx(1)
    assert measured["depth_back_far_off_share"] == pytest.approx(0)


def test_overlap_is_intersection_over_union(prepared: NormalExamples) -> None:
    everywhere = torch.full_like(prepared.coarse.front, SURE)
    full = DepthPrediction(prepared.coarse.front, prepared.coarse.back, everywhere)
    prediction = NormalPrediction(prepared.coarse.normals, {}, full)
    overlap = means(normal_measures(prediction, prepared, SETTINGS))["mask_overlap"]
    assert overlap == pytest.approx(float(prepared.coarse.inside.float().mean()))


@pytest.mark.parametrize(
    ("one", "other", "degrees"),
    [((1, 0, 0), (0, 1, 0), 90), ((0, 0, 1), (0, 0, -1), 180), ((0, 0, 1), (0, 1, 1), 45)],
)
def test_angles_are_between_directions_mapped_to_zero_to_one(
    one: tuple[int, ...], other: tuple[int, ...], degrees: int
) -> None:
    pair = [(torch.tensor(n, dtype=torch.float32).view(1, 3, 1, 1) + 1) / 2 for n in (one, other)]
    assert float(angles_degrees(2 * pair[0] - 1, 2 * pair[1] - 1)) == pytest.approx(
        degrees, abs=1e-3
    )


@pytest.mark.parametrize(
    ("loss", "best", "better"),
    [(1.0, None, True), (1.0, 2.0, True), (2.0, 1.0, False), (math.nan, None, False)],
)
def test_the_lowest_finite_loss_is_the_best(loss: float, best: float | None, better: bool) -> None:
    assert is_better(loss, best) == better


def test_the_image_is_mapped_to_minus_one_to_one(prepared: NormalExamples) -> None:
    assert -1 <= float(prepared.image.min()) < -0.9
    assert 0.5 < float(prepared.image.max()) <= 1


def test_the_centre_of_the_body_is_at_its_known_network_depth(refined: DepthExamples) -> None:
    centre = [float(depth[0, 0, 128, 128]) for depth in (refined.full.front, refined.full.back)]
    # The first held-out ellipsoid reaches 0.08 to both sides of the scene's origin at 2.0.
    reach = 0.08 * FOCAL / 64
    assert centre == pytest.approx([2 - reach, 2 + reach], rel=1e-4)


def test_true_part_normals_are_cut_as_the_images_are(prepared: NormalExamples) -> None:
    shapes = {group: tuple(value.shape[1:]) for group, value in prepared.part_normals.items()}
    assert shapes == {
        "head": (1, 6, 48, 40), "upper_body": (1, 6, 72, 48), "arms": (4, 6, 48, 32),
        "legs": (4, 6, 40, 32), "feet": (2, 6, 24, 16),
    }  # fmt: skip


def test_a_sheet_has_a_row_a_image_and_a_column_a_panel(prepared: NormalExamples) -> None:
    panels = normal_panels(perfect(prepared), prepared, SETTINGS)
    assert list(panels)[:3] == ["picture", "normal front", "true normal front"]
    assert draw_sheet(panels).shape == (256, 9 * 256, 3)


def test_a_curve_is_a_png() -> None:
    assert draw_curve([(1, 3.0), (2, 2.0)], [(2, 2.5)]).startswith(b"\x89PNG")
