from pathlib import Path

import pytest

from schemas.errors import RequestError
from schemas.evaluate_request import EvaluateRequest, ProtocolOptions
from schemas.evaluation import PRESETS, PresetName
from schemas.request_base import make_request


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_protocol_where_nothing_else_is_said(name: PresetName) -> None:
    protocol, preset = ProtocolOptions(preset=name).protocol, PRESETS[name]
    assert protocol.points == preset.points
    assert protocol.align == preset.align
    assert protocol.p2s_from == preset.p2s_from
    assert protocol.yaws == preset.yaws
    assert protocol.source == preset.source


def test_an_option_changes_one_part_of_the_preset() -> None:
    protocol = ProtocolOptions(preset="icon", points=50_000, view_yaws=(10.0,)).protocol
    assert (protocol.points, protocol.yaws) == (50_000, (10.0,))
    assert protocol.p2s_from == "scan"  # as ICON's code measures it


def test_view_yaws_are_written_as_those_of_render() -> None:
    request = make_request(EvaluateRequest, {"view_yaws": "0:270:90"})
    assert request.protocol.protocol.yaws == (0, 90, 180, 270)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, "MESH: none"),
        ({"mesh": "HERE"}, "--truth: none"),
        ({"mesh": "nowhere.obj", "truth": "HERE"}, "MESH: nothing at nowhere.obj"),
        ({"mesh": "HERE", "data": ["set"], "checkpoint": ["run"]}, "MESH: given with --data"),
        ({"data": ["set"]}, "--checkpoint: none"),
        ({"checkpoint": ["run"]}, "--data: none"),
        ({"data": ["set"], "checkpoint": ["nowhere"]}, "--checkpoint: nothing at nowhere"),
        (
            {"data": ["set"], "checkpoint": ["HERE"], "normal_checkpoint": "nowhere"},
            "--normal-checkpoint: nothing at nowhere",
        ),
    ],
)
def test_what_is_neither_form_is_refused(
    values: dict[str, object], found: str, tmp_path: Path
) -> None:
    here = tmp_path / "here.obj"
    here.touch()
    given = {
        name: str(here) if value == "HERE" else [str(here)] if value == ["HERE"] else value
        for name, value in values.items()
    }
    request = make_request(EvaluateRequest, {"out": str(tmp_path / "out"), **given})
    with pytest.raises(RequestError, match=found):
        request.check()


def test_too_few_points_are_refused() -> None:
    with pytest.raises(RequestError, match=r"--points: 10; expected .*100"):
        make_request(EvaluateRequest, {"points": 10})
