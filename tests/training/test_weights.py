import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from schemas.errors import InputError, RequestError
from training.loop.model_files import write_model
from training.run_settings import ModelSettings
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.published_names import from_published, to_published
from training.weights import adopt_weights, digest_weights, read_weights

WIDTH = 0.05


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_published_checkpoint_comes_in_with_nothing_missing_or_left_over(
    tmp_path: Path, prefix: str
) -> None:
    donor, taker = build_depth_nets(width=WIDTH), build_depth_nets(width=WIDTH)
    named = {prefix + name: value for name, value in to_published(donor.state_dict()).items()}
    torch.save({"model_state_dict": named, "epoch": 7}, tmp_path / "published.pth")
    adopt_weights(taker, read_weights(tmp_path / "published.pth"), "--init")
    assert same(taker.state_dict(), donor.state_dict())


def test_to_published_and_back_is_the_same() -> None:
    weights = build_depth_nets(width=WIDTH).state_dict()
    assert same(from_published(to_published(weights)), weights)


def test_phase_1_goes_out_without_the_refinement_net() -> None:
    names = to_published(build_normal_nets(width=WIDTH).state_dict())
    assert len(names) == 1504 - 90
    assert not any(name.startswith("refine") for name in names)


def test_a_name_that_no_published_checkpoint_has_is_refused() -> None:
    with pytest.raises(InputError, match=r"the weight discriminator\.0\.weight"):
        from_published({"discriminator.0.weight": torch.zeros(1)})


def test_phase_1_goes_into_phase_2() -> None:
    first, second = build_normal_nets(width=WIDTH), build_depth_nets(width=WIDTH)
    adopt_weights(second, first.state_dict(), "--init", fresh_refinement=True)
    assert same(second.normals.state_dict(), first.state_dict())


def test_phase_2_goes_into_phase_1() -> None:
    first, second = build_normal_nets(width=WIDTH), build_depth_nets(width=WIDTH)
    adopt_weights(first, second.state_dict(), "--init")
    assert same(second.normals.state_dict(), first.state_dict())


def load_afresh(path: Path) -> None:
    model = build_depth_nets(width=WIDTH)
    adopt_weights(model, read_weights(path), "--init", fresh_refinement=True)


@pytest.mark.parametrize("kept", [0, 1])
def test_phase_2_without_all_of_its_refinement_net_is_never_filled_up(
    tmp_path: Path, kept: int
) -> None:
    whole = build_depth_nets(width=WIDTH).state_dict()
    refinement = [name for name in whole if name.startswith("refinement.")]
    lost = {name: value for name, value in whole.items() if name not in refinement[kept:]}
    save_file(lost, tmp_path / "lost.safetensors")
    with pytest.raises((InputError, RequestError), match="refinement"):
        load_afresh(tmp_path / "lost.safetensors")


def test_phase_1_serves_for_phase_2_only_where_refinement_may_start_afresh() -> None:
    first, second = build_normal_nets(width=WIDTH), build_depth_nets(width=WIDTH)
    with pytest.raises(RequestError, match="lacks refinement"):
        adopt_weights(second, first.state_dict(), "--checkpoint")


def drop_one(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in weights.items() if name != "coarse.head.bias"}


def add_one(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return weights | {"extra": torch.zeros(1)}


def reshape_one(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return weights | {"coarse.head.bias": torch.zeros(5)}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (drop_one, "lacks coarse.head.bias"),
        (add_one, "has too much extra"),
        (reshape_one, "differs in coarse.head.bias"),
    ],
)
def test_weights_that_do_not_fit_are_refused_by_name(
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]], complaint: str
) -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH)
    with pytest.raises(RequestError, match=complaint):
        adopt_weights(model, change(dict(model.state_dict())), "--init")


def test_weights_for_use_are_written_with_a_card_and_read_from_the_run(tmp_path: Path) -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH)
    settings = ModelSettings(stage="2k2k-normal", resolution=256, nets="coarse", width=WIDTH)
    write_model(tmp_path, model, settings, step=5, conventions={"depth_unit": "metres"})
    assert same(read_weights(tmp_path), dict(model.state_dict()))
    assert '"resolution": 256' in (tmp_path / "model.json").read_text()


def test_a_safetensors_file_is_read(tmp_path: Path) -> None:
    save_file({"a": torch.arange(3.0)}, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors")["a"].tolist() == [0, 1, 2]


def test_a_cut_safetensors_file_is_refused(tmp_path: Path) -> None:
    save_file({"a": torch.arange(300.0)}, tmp_path / "w.safetensors")
    whole = (tmp_path / "w.safetensors").read_bytes()
    (tmp_path / "w.safetensors").write_bytes(whole[:100])
    with pytest.raises(InputError, match="expected a whole safetensors file"):
        read_weights(tmp_path / "w.safetensors")


class Payload:
    """Unpickling this writes a file named in the working directory."""

    def __reduce__(self) -> tuple[object, ...]:
        """Say how to be rebuilt: by touching a file."""
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("write", ["torch", "pickle"])
def test_a_foreign_file_that_would_run_code_is_refused_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if write == "torch":
        torch.save({"model_state_dict": Payload()}, "foreign.pth")
    else:
        Path("foreign.pth").write_bytes(pickle.dumps(Payload(), protocol=2))
    with pytest.raises(InputError, match="more than weights"):
        read_weights(Path("foreign.pth"))
    assert not Path("ran").exists()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2, 3], tmp_path / "list.pth")
    with pytest.raises(InputError, match="a list; expected tensors by name"):
        read_weights(tmp_path / "list.pth")


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no such file or folder"):
        read_weights(tmp_path / "nothing.pth")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="neither weights nor a checkpoint"):
        read_weights(tmp_path)


def test_the_digest_tells_values_apart() -> None:
    assert digest_weights({"a": torch.zeros(2)}) != digest_weights({"a": torch.ones(2)})


def test_a_phase_2_file_that_lacks_part_of_the_refinement_net_is_refused() -> None:
    model = build_depth_nets(width=WIDTH)
    weights = dict(model.state_dict())
    del weights["refinement.merges.2.1.bias"]
    with pytest.raises(RequestError, match=r"lacks refinement\.merges\.2\.1\.bias"):
        adopt_weights(model, weights, "--init")


def test_a_flipped_byte_in_the_weights_of_a_run_is_found(tmp_path: Path) -> None:
    model = build_normal_nets(nets="coarse", width=WIDTH)
    settings = ModelSettings(stage="2k2k-normal", resolution=256, nets="coarse", width=WIDTH)
    write_model(tmp_path, model, settings, step=5, conventions={})
    content = bytearray((tmp_path / "model.safetensors").read_bytes())
    content[-9] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(InputError, match=r"model\.safetensors: other bytes than were written"):
        read_weights(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({7: torch.zeros(1)}, "7, a Tensor; expected tensors by name"),
        ({"a": "words"}, "'a', a str; expected tensors by name"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "sparse, quantised or without values"),
        ({"model_state_dict": 7}, "a int; expected tensors by name"),
    ],
)
def test_what_is_no_dense_tensor_by_name_is_refused(
    tmp_path: Path, content: object, complaint: str
) -> None:
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(InputError, match=complaint):
        read_weights(tmp_path / "odd.pth")


def test_weights_of_16_bits_have_a_digest() -> None:
    values = torch.tensor([1.0, -2.0], dtype=torch.bfloat16)
    expected = hashlib.sha256(b"a" + bytes.fromhex("803f00c0")).hexdigest()
    assert digest_weights({"a": values}) == expected
