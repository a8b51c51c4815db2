from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.convert import main
from training.hdnet.hourglass import build_hourglass
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.published_names import to_published


def test_a_published_file_becomes_safetensors_and_comes_back(tmp_path: Path) -> None:
    published = to_published(build_depth_nets(width=0.05).state_dict())
    torch.save({"model_state_dict": published}, tmp_path / "in.pth")
    assert main([str(tmp_path / "in.pth"), "--to", str(tmp_path / "own.safetensors")]) == 0
    assert main([str(tmp_path / "own.safetensors"), "--to", str(tmp_path / "out.pth")]) == 0
    back = torch.load(tmp_path / "out.pth", weights_only=True)["model_state_dict"]
    assert back.keys() == published.keys()
    assert all(torch.equal(back[name], published[name]) for name in published)


def test_a_published_phase_1_gets_the_names_of_phase_1(tmp_path: Path) -> None:
    model = build_normal_nets(width=0.05)
    torch.save(to_published(model.state_dict()), tmp_path / "in.pth")
    main([str(tmp_path / "in.pth"), "--to", str(tmp_path / "own.safetensors")])
    assert load_file(tmp_path / "own.safetensors").keys() == model.state_dict().keys()


@pytest.mark.parametrize(
    ("source", "target", "answer"),
    [
        ("nothing.pth", "x.safetensors", (2, "nothing.pth: no such file or folder")),
        ("w.safetensors", "x.onnx", (2, "the ending .onnx; expected .safetensors")),
        ("cut.safetensors", "x.pth", (1, "expected a whole safetensors file")),
    ],
)
def test_what_cannot_be_converted_is_said_in_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    target: str,
    answer: tuple[int, str],
) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10")
    assert main([str(tmp_path / source), "--to", str(tmp_path / target)]) == answer[0]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert answer[1] in told[0]


def test_weights_of_half_a_model_are_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = to_published(build_depth_nets(width=0.05).state_dict())
    del weights["refine.merge3_2.bias"]
    torch.save(weights, tmp_path / "half.pth")
    assert main([str(tmp_path / "half.pth"), "--to", str(tmp_path / "own.safetensors")]) == 1
    assert "lacks refinement.merges.2.1.bias and 0 more" in capsys.readouterr().err
    assert not (tmp_path / "own.safetensors").exists()


def test_the_weights_of_an_hourglass_are_no_published_2k2k_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file(build_hourglass(3, 3, width=0.05).state_dict(), tmp_path / "hdnet.safetensors")
    assert main([str(tmp_path / "hdnet.safetensors"), "--to", str(tmp_path / "out.pth")]) == 1
    assert "expected all weights of phase 1 or of phase 2" in capsys.readouterr().err
    assert main([str(tmp_path / "hdnet.safetensors"), "--to", str(tmp_path / "o.safetensors")]) == 0


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("coarse.head.weight", "another shape of coarse.head.weight and 0 more"),
        ("whole.encoder.blocks.0.0.weight", "layers of different widths"),
    ],
)
def test_weights_of_another_shape_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, complaint: str
) -> None:
    weights = build_normal_nets(width=0.05).state_dict()
    weights[name] = torch.zeros(2 * weights[name].shape[0], *weights[name].shape[1:])
    save_file(weights, tmp_path / "odd.safetensors")
    assert main([str(tmp_path / "odd.safetensors"), "--to", str(tmp_path / "o.safetensors")]) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("width", [0.01, 0.05, 0.11, 0.25])
def test_the_width_of_weights_is_found(tmp_path: Path, width: float) -> None:
    save_file(build_hourglass(9, 1, width=width).state_dict(), tmp_path / "w.safetensors")
    assert main([str(tmp_path / "w.safetensors"), "--to", str(tmp_path / "o.safetensors")]) == 0
