"""HDNet's TensorFlow checkpoints, against files and outputs that TensorFlow itself made."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from schemas.errors import InputError, RequestError
from training.convert import main
from training.hdnet.hourglass import build_hourglass
from training.hdnet.released_names import find_bundle, read_released
from training.hdnet.tensorflow_bundle import list_variables, read_variables, write_variables
from training.weights import read_weights

KEPT = Path(__file__).parents[2] / "data/tensorflow"
NORMAL = "hourglass_normal_prediction"
DEPTH = "hourglass_stack_fused_depth_prediction"
NETS = [(NORMAL, 1710000, 3, 3), (DEPTH, 1920000, 9, 1)]
WIDTH = 1 / 32
OF_OUTPUTS = 1e-4
"""Of outputs up to 10: two libraries add in another order."""


def copy(to: Path, scope: str = NORMAL) -> Path:
    """Copy a kept checkpoint; returns its prefix."""
    for path in KEPT.glob(f"{scope}*"):
        shutil.copy(path, to / path.name.replace(path.name.split("-")[0], "model.ckpt"))
    (index,) = to.glob("*.index")
    return index.with_suffix("")


@pytest.mark.parametrize(("scope", "steps", "channels_in", "channels_out"), NETS)
def test_a_converted_net_gives_the_outputs_of_tensorflow(
    scope: str, steps: int, channels_in: int, channels_out: int
) -> None:
    answers = np.load(KEPT / "answers.npz")
    net = build_hourglass(channels_in, channels_out, width=WIDTH)
    net.load_state_dict(read_weights(KEPT / f"{scope}.ckpt-{steps}"))
    image = torch.from_numpy(answers[f"{scope}/input"]).permute(0, 3, 1, 2)
    output = net(image).permute(0, 2, 3, 1).detach().numpy()
    np.testing.assert_allclose(output, answers[f"{scope}/output"], atol=OF_OUTPUTS)


@pytest.mark.parametrize(("scope", "steps"), [(NORMAL, 1710000), (DEPTH, 1920000)])
def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path, scope: str, steps: int) -> None:
    kept, own = KEPT / f"{scope}.ckpt-{steps}", tmp_path / "own.safetensors"
    assert main([str(kept), "--to", str(own)]) == 0
    assert main([str(own), "--to", str(tmp_path / "back.ckpt-1.index")]) == 0
    before, after = (read_variables(path, scope) for path in (kept, tmp_path / "back.ckpt-1"))
    written = {name for name in before if "Adam" not in name}
    assert after.keys() == written
    used = [name for name in after if not name.split("/")[1].startswith("moving_")]
    assert all(np.array_equal(before[name], after[name]) for name in used)


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_every_file_of_a_checkpoint_names_it(tmp_path: Path, ending: str) -> None:
    prefix = copy(tmp_path)
    assert find_bundle(Path(f"{prefix}{ending}")) == prefix


def test_another_byte_is_found_and_named(tmp_path: Path) -> None:
    prefix = copy(tmp_path)
    path = Path(f"{prefix}.data-00000-of-00001")
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"conv1/.* with other bytes than were written"):
        read_released(prefix)


def test_a_cut_data_file_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    prefix = copy(tmp_path)
    path = Path(f"{prefix}.data-00000-of-00001")
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="1000 bytes, and "):
        read_released(prefix)


def refusal_of(prefix: Path) -> str:
    """Return why a checkpoint is refused; "" where it gives the very weights that were kept."""
    try:
        found = read_released(prefix)
    except (InputError, RequestError) as error:
        return str(error)
    kept = read_released(KEPT / f"{NORMAL}.ckpt-1710000")
    assert found.keys() == kept.keys()
    assert all(torch.equal(found[name], kept[name]) for name in kept)
    return ""


@pytest.mark.parametrize("place", range(0, 3300, 47))
def test_a_broken_index_is_an_error_in_one_sentence(tmp_path: Path, place: int) -> None:
    prefix = copy(tmp_path)
    path = Path(f"{prefix}.index")
    data = path.read_bytes()
    path.write_bytes(data[:place])
    cut = refusal_of(prefix)
    path.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
    changed = refusal_of(prefix)  # a byte that nothing uses may be another one
    assert "; expected" in cut
    assert not changed or "; expected" in changed
    assert "\n" not in cut + changed


def test_a_lost_variable_is_named(tmp_path: Path) -> None:
    variables = read_variables(KEPT / f"{NORMAL}.ckpt-1710000", NORMAL)
    del variables["conv7/beta"]
    write_variables(tmp_path / "m", {f"{NORMAL}/{name}": v for name, v in variables.items()})
    with pytest.raises(InputError, match=f"no float variable {NORMAL}/conv7/beta"):
        read_released(tmp_path / "m")


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    write_variables(tmp_path / "m", {"dense/kernel": np.zeros((2, 2), np.float32)})
    assert list_variables(tmp_path / "m") == ("dense/kernel",)
    with pytest.raises(RequestError, match="0 nets of HDNet in it"):
        read_released(tmp_path / "m")
