"""What a training may be asked for, and that the training program knows every option of it."""

import argparse
import re

import pytest
from pydantic import ValidationError

from flows.train_requests import OURS, TrainOptions, TrainRequest, check_train, program_options
from schemas.errors import RequestError
from training.arguments import make_parser

LAUNCH_ONLY = {"help", "check"}
OF_THE_REQUEST = {"stage", "data", "out", "init"}
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


def actions() -> dict[str, argparse.Action]:
    """Return the options of the training program by name."""
    return {one.dest: one for one in make_parser()._actions if one.dest not in LAUNCH_ONLY}


@pytest.mark.parametrize("case", WRONG)
def test_what_excludes_itself_is_refused_by_the_option_at_fault(case: str) -> None:
    given, message = WRONG[case]
    with pytest.raises(RequestError, match=re.escape(message)):
        check_train(request(**given))


@pytest.mark.parametrize(
    "given", [{"resolution": 300}, {"resolution": 128}, {"width": 0}, {"nproc": 0}, {"stage": "x"}]
)
def test_values_out_of_range_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        request(**given)


def test_nodes_that_say_where_they_meet_are_taken() -> None:
    check_train(request(nnodes=3, node_rank=2, rdzv="node0.cluster:29400"))


def test_ranks_of_all_nodes_make_the_world() -> None:
    assert request(nproc=4, nnodes=3).world == 12


def test_every_option_of_the_program_is_one_of_the_command() -> None:
    assert set(actions()) - OF_THE_REQUEST == set(TrainOptions.model_fields) - OURS


@pytest.mark.parametrize("name", sorted(set(TrainOptions.model_fields) - OURS))
def test_default_that_the_help_names_is_that_of_the_program(name: str) -> None:
    named = re.search(r"\[default: ([^\]]*)\]", TrainOptions.model_fields[name].description or "")
    held = actions()[name].default
    if held is None or held is False:
        assert named is None or name in {
            "resolution", "epochs", "steps_per_epoch", "save_every", "validate_every",
            "batch", "learning_rate", "schedule",
        }  # fmt: skip
    else:
        assert named is not None
        assert named[1] == (held[0] if isinstance(held, list) else str(held))


def test_program_takes_all_options_as_they_were_given() -> None:
    asked = request(
        init="runs/0", resolution=512, steps=7, width=0.25, precision="bf16", compile=True,
        no_augment=True, split=("train", "test"), backgrounds="rooms",
    )  # fmt: skip
    taken = make_parser().parse_args(asked.program)
    assert (taken.stage, taken.data, str(taken.out)) == ("2k2k-normal", ["a", "b"], "runs/n")
    assert (taken.init, taken.resolution, taken.steps, taken.width) == ("runs/0", 512, 7, 0.25)
    assert (taken.precision, taken.compile, taken.no_augment) == ("bf16", True, True)
    assert (taken.split, str(taken.backgrounds)) == (["train", "test"], "rooms")


def test_defaults_are_left_to_the_program() -> None:
    assert program_options(TrainOptions()) == []
