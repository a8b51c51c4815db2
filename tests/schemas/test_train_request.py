"""What a training may be asked for, and how the request reaches the training program."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.errors import RequestError
from schemas.train_request import TrainRequest, read_request

WRONG: dict[str, tuple[dict[str, object], str]] = {
    "steps and epochs": ({"steps": 3, "epochs": 2}, "--steps: --epochs 2 beside it"),
    "fresh rooms of nowhere": ({"background": "fresh"}, "--background fresh: no --backgrounds"),
    "phase 2 of nothing": ({"stage": "2k2k-depth"}, "--init: none"),
    "phase 2 without parts": (
        {"stage": "2k2k-depth", "init": "runs/n", "nets": "coarse"}, "--nets: coarse"
    ),
    "nodes without a meeting": ({"nnodes": 2}, "--rdzv: none"),
    "a meeting without a port": ({"nnodes": 2, "rdzv": "node0"}, "--rdzv: 'node0'"),
    "a port that is none": ({"nnodes": 2, "rdzv": "node0:70000"}, "--rdzv: 'node0:70000'"),
    "one node too far": ({"nnodes": 2, "node_rank": 2, "rdzv": "a:1"}, "expected 0 to 1"),
    "a meeting of one": ({"rdzv": "node0:29400"}, "--nnodes: 1, with --rdzv"),
}  # fmt: skip


def request(**given: object) -> TrainRequest:
    return TrainRequest.model_validate(
        {"stage": "2k2k-normal", "data": ("a", "b"), "out": "runs/n"} | given
    )


@pytest.mark.parametrize("case", WRONG)
def test_what_excludes_itself_is_refused_by_the_option_at_fault(case: str) -> None:
    given, message = WRONG[case]
    with pytest.raises(RequestError, match=re.escape(message)):
        request(**given).check()


@pytest.mark.parametrize(
    "given", [{"resolution": 300}, {"resolution": 128}, {"width": 0}, {"nproc": 0}, {"stage": "x"}]
)
def test_values_out_of_range_are_refused(given: dict[str, object]) -> None:
    (name,) = given
    with pytest.raises(ValidationError, match=f"1 validation error for TrainRequest\n{name}\n"):
        request(**given)


def test_nodes_that_say_where_they_meet_are_taken() -> None:
    request(nnodes=3, node_rank=2, rdzv="node0.cluster:29400").check()


def test_ranks_of_all_nodes_make_the_world() -> None:
    assert request(nproc=4, nnodes=3).world == 12


@pytest.mark.parametrize(
    ("name", "default"), [("width", 1.0), ("nets", "all"), ("precision", "fp32"), ("keep", 3),
                          ("split", ("train",)), ("workers", 2), ("max_val_samples", 64)]
)  # fmt: skip
def test_defaults_are_values_that_can_be_seen(name: str, default: object) -> None:
    assert getattr(request(), name) == default


@pytest.mark.parametrize(
    ("name", "said"), [("batch", "2k2k 1, hdnet 8, hdnet-video 1"),
                       ("learning_rate", "2k2k 0.0001, hdnet 0.001"),
                       ("resolution", "that of the data"), ("split", "train"), ("width", "1")]
)  # fmt: skip
def test_help_says_what_holds_without_a_value(name: str, said: str) -> None:
    assert TrainRequest.options()[name].default == said


def test_request_passes_to_the_program_whole() -> None:
    asked = request(
        init="runs/0", resolution=512, steps=7, width=0.25, precision="bf16", compile=True,
        no_augment=True, split=("train", "test"), backgrounds="rooms",
    )  # fmt: skip
    word, text = asked.program
    assert word == "--request"
    assert read_request(text) == asked


def test_request_may_be_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text(request().model_dump_json())
    assert read_request(str(path)) == request()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "--request: "), ("{}", "STAGE: it is not given"),
        ('{"stage": "x"}', "--data: it is not given"), ("no/such.json", "--request: "),
        ("[1]", "--request: "), ('{"stage": "x", "data": ["d"], "out": "o"}', "STAGE: 'x'; "),
    ],
)  # fmt: skip
def test_no_request_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=f"^{complaint}") as said:
        read_request(text)
    assert len(str(said.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("stage", "option", "value"),
    [("hdnet-normal", "nets", "coarse"), ("hdnet-normal", "heads", "centred"),
     ("2k2k-normal", "depth_normals", "published"), ("hdnet-depth", "depth_loss", "masked"),
     ("2k2k-depth", "depth_gradient", "detached"),
     ("2k2k-normal", "refinement", "residual"), ("hdnet-normal", "mask_loss", "published")],
)  # fmt: skip
def test_option_that_would_change_nothing_is_refused(stage: str, option: str, value: str) -> None:
    with pytest.raises(RequestError, match=f"--{option.replace('_', '-')}: {value} for {stage}"):
        request(stage=stage, **{option: value}).check()
