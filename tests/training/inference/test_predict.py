"""Nets in use: what they see, what they are not asked for, and what their program says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from schemas.errors import InputError, RequestError
from schemas.prediction import (
    PredictionJob,
    PredictionRequest,
    part_array,
    read_arrays,
    write_arrays,
)
from schemas.train_forms import StageName
from tests.tasks.reconstruction.photo_files import draw_figure, joints_of
from tests.training.inference.slab_nets import BACK, FRONT, WIDTH, slab_nets, write_slab
from training.inference.person_predictor import PersonPredictor, prepare_image
from training.inference.predict import EXIT_REQUEST, main
from training.inference.strips import refine_in_strips
from training.inference.surface_predictor import SurfacePredictor, unit_inside
from training.loop.model_files import write_model
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k.alignment import complete_joints, fit_parts
from training.twok2k.person_nets import PersonDepthNets, build_normal_nets
from training.twok2k.sizes import refinement_net

HDNET_STAGES: tuple[StageName, ...] = ("hdnet-normal", "hdnet-depth")
CPU = torch.device("cpu")
SIDE = 256


def person() -> dict[str, np.ndarray]:
    image, mask = draw_figure(SIDE, SIDE)
    joints = joints_of(SIDE, SIDE).astype(np.float32)
    joints[[16, 20, 21, 22], 2] = 0  # no right foot
    return {"image": image, "mask": mask, "keypoints": joints}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slab(tmp_path_factory.mktemp("slab"))


def write_hourglass(out: Path, stage: StageName) -> nn.Module:
    torch.manual_seed(0)
    settings = ModelSettings(stage=stage, resolution=SIDE, width=WIDTH)
    nets = STAGES[stage].build(settings)
    out.mkdir()
    with torch.no_grad():
        nets.get_parameter("head.bias").fill_(0.3)  # no normal is exactly zero
    write_model(out, nets, settings, step=1, conventions={})
    return nets


def test_outside_of_the_mask_is_black_and_inside_is_dimmed() -> None:
    image = np.full((4, 4, 3), 204, np.uint8)
    mask = np.zeros((4, 4), bool)
    mask[1:3, 1:3] = True
    seen = prepare_image(image, mask)[0]
    mean = 0.8 * 4 / 16  # of all pixels, the black ones too
    inside = 0.85 * (0.85 * 0.8 + 0.15 * mean)
    assert torch.allclose(seen[:, 1:3, 1:3], torch.tensor(2 * inside - 1), atol=1e-6)
    assert (seen[:, 0] == -1).all()


def test_prediction_is_that_of_the_nets(checkpoint: Path) -> None:
    arrays = person()
    stages: list[str] = []
    found = PersonPredictor(checkpoint, CPU).predict(arrays, stages.append)
    nets = slab_nets().eval()
    joints = torch.from_numpy(arrays["keypoints"])[None]
    transforms = fit_parts(*complete_joints(joints, SIDE))
    with torch.no_grad():
        first = nets.normals(prepare_image(arrays["image"], arrays["mask"]), transforms)
    assert stages == ["normals", "depth"]
    assert np.allclose(found["front"], FRONT)
    assert np.allclose(found["back"], BACK)
    assert np.allclose(found[part_array("head")], first.parts["head"][0, 0].numpy(), atol=1e-3)
    assert np.allclose(found["consistency"][2], 1.0, atol=1e-3)  # planes face the camera


def test_a_part_without_joints_has_no_normals(checkpoint: Path) -> None:
    found = PersonPredictor(checkpoint, CPU).predict(person(), lambda _: None)
    assert part_array("left foot") in found
    assert part_array("right foot") not in found
    assert part_array("right lower leg") not in found


def test_bare_weights_of_full_width_are_asked_for_by_name(tmp_path: Path) -> None:
    write_slab(tmp_path)
    (tmp_path / "model.json").unlink()
    with pytest.raises(RequestError, match="width"):
        PersonPredictor(tmp_path / "model.safetensors", CPU)


def test_weights_of_phase_1_are_refused(tmp_path: Path) -> None:
    settings = ModelSettings(stage="2k2k-depth", resolution=SIDE, width=WIDTH)
    write_model(tmp_path, build_normal_nets(width=WIDTH), settings, step=1, conventions={})
    with pytest.raises(RequestError, match="refinement"):
        PersonPredictor(tmp_path, CPU)


def test_weights_of_another_stage_are_refused(tmp_path: Path) -> None:
    settings = ModelSettings(stage="2k2k-normal", resolution=SIDE, width=WIDTH)
    write_model(tmp_path, build_normal_nets(width=WIDTH), settings, step=1, conventions={})
    with pytest.raises(InputError, match="2k2k-normal"):
        PersonPredictor(tmp_path, CPU)


def test_the_program_goes_on_after_a_broken_input(
    tmp_path: Path, checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_arrays(tmp_path / "good.npz", person())
    write_arrays(tmp_path / "small.npz", {**person(), "image": np.zeros((9, 9, 3), np.uint8)})
    (tmp_path / "cut.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:1000])
    jobs = tuple(
        PredictionJob(
            name=name, input=str(tmp_path / f"{name}.npz"), output=str(tmp_path / f"{name}.out")
        )
        for name in ("cut", "small", "good")
    )
    request = PredictionRequest(method="2k2k", checkpoint=str(checkpoint), device="cpu", jobs=jobs)
    (tmp_path / "request.json").write_text(request.model_dump_json())
    assert main(["--request", str(tmp_path / "request.json")]) == 0
    said = capsys.readouterr().out
    assert "refused cut: " in said
    assert "refused small: " in said
    assert "predicted good\n" in said
    assert read_arrays(tmp_path / "good.out")["front"].shape == (SIDE, SIDE)


def test_a_missing_checkpoint_is_a_wrong_request(tmp_path: Path) -> None:
    job = PredictionJob(name="a", input="a", output="b")
    request = PredictionRequest(method="2k2k", checkpoint=str(tmp_path / "none"), jobs=(job,))
    (tmp_path / "request.json").write_text(request.model_dump_json())
    assert main(["--request", str(tmp_path / "request.json")]) == EXIT_REQUEST


def test_hdnet_feeds_its_normals_to_the_depth_net(tmp_path: Path) -> None:
    nets = {stage: write_hourglass(tmp_path / stage, stage) for stage in HDNET_STAGES}
    image, mask = draw_figure(SIDE, SIDE)
    arrays = {"image": image, "mask": mask, "densepose": image[::-1].copy()}
    predictor = SurfacePredictor(tmp_path / "hdnet-depth", tmp_path / "hdnet-normal", CPU)
    found = predictor.predict(arrays, lambda _: None)
    seen, iuv = (
        torch.from_numpy(arrays[name]).permute(2, 0, 1)[None].float()
        for name in ("image", "densepose")
    )
    with torch.no_grad():
        normals = unit_inside(nets["hdnet-normal"](seen), torch.from_numpy(mask))
        depth = nets["hdnet-depth"](torch.cat([seen, normals, iuv], dim=1))[0, 0].numpy()
    assert np.allclose(np.linalg.norm(found["normals"], axis=0)[mask], 1, atol=1e-5)
    assert not found["normals"][:, ~mask].any()
    assert np.allclose(found["depth"], np.where(mask, depth, 0), atol=1e-5)


def test_nets_of_phase_2_predict_as_before() -> None:
    nets: PersonDepthNets = slab_nets().eval()
    joints = torch.from_numpy(person()["keypoints"])[None]
    transforms = fit_parts(*complete_joints(joints, SIDE))
    with torch.no_grad():
        assert torch.allclose(
            nets(torch.zeros(1, 3, SIDE, SIDE), transforms).front, torch.tensor(FRONT)
        )


@pytest.mark.parametrize("side", [256, 640])
def test_strips_give_what_the_whole_image_gives(side: int) -> None:
    torch.manual_seed(1)
    net = refinement_net(width=0.1).eval()
    depth, normals = 6 * torch.rand(1, 2, side // 8, side // 8), torch.rand(1, 6, side, side)
    with torch.no_grad():
        whole, strips = net(depth, normals), refine_in_strips(net, depth, normals)
    for name in ("front", "back", "mask_logit"):
        assert torch.allclose(getattr(strips, name), getattr(whole, name), atol=1e-5)
    assert whole.mask_logit.std() > 1e-3
