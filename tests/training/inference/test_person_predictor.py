"""The nets in use, with weights that nobody trained."""

from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.train_forms import DepthLossForm
from tests.training.conftest import STANDING
from training.inference.person_predictor import PersonPredictor, _compose
from training.loop.model_files import write_model
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k.surface_nets import DepthPrediction

SIDE = 256


@pytest.mark.parametrize(("depth_loss", "composed"), [("masked", True), ("published", False)])
def test_depth_of_nets_that_never_saw_the_background_is_composed_by_their_mask(
    tmp_path: Path, depth_loss: DepthLossForm, composed: bool
) -> None:
    settings = ModelSettings(
        stage="2k2k-depth", resolution=SIDE, width=0.05, heads="means", depth_loss=depth_loss
    )
    nets = STAGES["2k2k-depth"].build(settings)
    write_model(tmp_path, nets, settings, step=1, conventions={})
    joints = np.concatenate([STANDING * SIDE + SIDE / 2, np.ones((31, 1))], axis=1)
    image = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    found = PersonPredictor(tmp_path, torch.device("cpu")).predict(
        {"image": image, "mask": np.ones((SIDE, SIDE), bool), "keypoints": joints},
        print,
    )
    outside = found["mask"] < 0.49
    assert outside.any()
    assert bool((found["front"][outside] == 6).all()) == composed
    assert bool((found["back"][outside] == 0).all()) == composed


def test_depth_is_kept_inside_a_known_mask_whatever_the_nets_own_says() -> None:
    depth = torch.full((1, 1, 2, 2), 2.0)
    nobody = DepthPrediction(depth, depth, torch.full((1, 1, 2, 2), -9.0))
    composed = _compose(nobody, torch.tensor([[True, False], [False, False]]))
    assert composed.front.flatten().tolist() == [2, 6, 6, 6]
    assert composed.back.flatten().tolist() == [2, 0, 0, 0]
