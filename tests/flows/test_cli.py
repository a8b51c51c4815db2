"""The command line: help, refusals, exit codes, and what it does without."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.app import COMMANDS, make_app
from flows.cli.request_options import gather
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.prepare_request import PrepareRequest
from schemas.requests import DemoRequest, RenderRequest
from schemas.settings import RenderSettings
from tasks.dataset.preparation import prepare_dataset
from tests.flows.conftest import BOXES, refusal
from tests.flows.live_server import ROOT

LIGHT = {
    "help": ["--help"],
    "command help": ["render", "--help"],
    "doctor": ["doctor"],
    "inspect": ["inspect", "--data", "{people}", "--dataset", "RP"],
    "status": ["status", "{data_set}"],
}


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """Make a data set without a shard."""
    folder = DatasetFolder.at(tmp_path / "set")
    prepare_dataset(folder, RenderSettings(resolution=128))
    return folder.root


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_has_examples(name: str) -> None:
    shown = CliRunner().invoke(make_app([name]), [name, "--help"])
    assert shown.exit_code == 0
    assert f"scanmill {name}" in shown.output.partition("Examples:")[2]


def test_help_lists_every_command() -> None:
    shown = CliRunner().invoke(make_app([]), ["--help"]).output
    assert all(f"  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("case", LIGHT)
def test_light_commands_import_neither_prefect_nor_torch(
    case: str, people: Path, data_set: Path
) -> None:
    places = {"people": people, "data_set": data_set}
    arguments = [word.format(**places) for word in LIGHT[case]]
    code = (
        "import sys, json\n"
        "from flows.cli import main\n"
        f"sys.argv = ['scanmill', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps([name for name in ('prefect', 'torch') if name in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


RENDER = ("render", "--dataset", "RP", "--out", "{tmp}/out")
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "missing folder": ((*RENDER, "--data", "{tmp}/none"), "--data: no folder"),
    "empty folder": ((*RENDER, "--data", "{empty}"), "is empty"),
    "a file for a folder": ((*RENDER, "--data", "{file}"), "is no folder"),
    "wrong data set name": (
        ("render", "--data", "{people}", "--dataset", "rp", "--out", "{tmp}/out"), "Write RP."
    ),
    "no data": (("render", "--dataset", "RP", "--out", "{tmp}/out"), "--data: it is not given"),
    "out below a file": (
        ("render", "--data", "{people}", "--dataset", "RP", "--out", "{file}/out"), "is a file"
    ),
    "yaws in words": ((*RENDER, "--data", "{people}", "--yaws", "left"), "--yaws: 'left'"),
    "yaws without a way": ((*RENDER, "--data", "{people}", "--yaws", "0:10:-1"), "--yaws"),
    "odd resolution": ((*RENDER, "--data", "{people}", "--resolution", "100"), "--resolution"),
    "rejects in words": (
        (*RENDER, "--data", "{people}", "--accept-rejects", "few"), "--accept-rejects: 'few'"
    ),
    "no such config": ((*RENDER, "--config", "{tmp}/none.yaml"), "--config: no readable file"),
    "no such splits": (
        (*RENDER, "--data", "{people}", "--splits", "{tmp}/none.csv"), "--splits: no readable file"
    ),
    "no such backgrounds": (
        (*RENDER, "--data", "{people}", "--backgrounds", "{tmp}/none"), "--backgrounds: no folder"
    ),
    "object store": (
        ("render", "--data", "{people}", "--dataset", "RP", "--out", "memory://b/c"),
        "are read from memory:// but not written there",
    ),
    "status of no data set": (("status", "{empty}"), "no dataset.json"),
    "rerun of no data set": (("rerun", "{empty}"), "no dataset.json"),
    "validate of no data set": (("validate", "{empty}"), "no dataset.json"),
    "report of nothing": (("report", "{tmp}/none"), "no folder"),
    "inspect of other layout": (
        ("inspect", "--data", "{people}", "--dataset", "THuman2"), "no folder obj/THuman2/data"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_request_is_one_line_and_2(
    case: str, people: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    places = {"tmp": tmp_path, "empty": tmp_path / "empty", "file": tmp_path / "file",
              "people": people}  # fmt: skip
    arguments, said = WRONG[case]
    code, error = refusal((word.format(**places) for word in arguments), capsys)
    assert code == 2
    assert said in error
    assert len(error.splitlines()) == 1


def test_unknown_option_is_2_without_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    code, error = refusal(["render", "--resolutio", "5"], capsys)
    assert code == 2
    assert "No such option" in error
    assert "Traceback" not in error


def test_broken_scan_makes_inspect_end_with_1(
    people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (people / "obj/RP" / f"{BOXES[0]}_OBJ" / f"{BOXES[0]}_100k.obj").unlink()
    code, _ = refusal(["inspect", "--data", people, "--dataset", "RP"], capsys)
    assert code == 1


def test_inspect_answers_in_json(people: Path) -> None:
    arguments = ["inspect", "--data", str(people), "--dataset", "RP", "--yaws", "0,30", "--json"]
    answer = json.loads(CliRunner().invoke(make_app(arguments), arguments).stdout)
    assert (answer["readable"], answer["expected_samples"]) == (3, 6)


def test_config_gives_options_and_settings_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("data: d\ndataset: RP\nout: o\nscans-per-shard: 4\nyaws: 0:90:45\nseed: 1\n")
    request = gather(RenderRequest, {"seed": "2"}, config=path, variables={})
    assert (request.data, request.scans_per_shard) == ("d", 4)
    assert request.settings.yaws == (0.0, 45.0, 90.0)
    assert request.settings.seed == 2


def test_environment_wins_over_the_config_and_the_line_over_both(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("data: d\ndataset: RP\nout: o\nseed: 1\nworkers: 1\nscans_per_shard: 3\n")
    variables = {"SCANMILL_SEED": "2", "SCANMILL_WORKERS": "2", "HOME": "/root"}
    request = gather(RenderRequest, {"workers": "5"}, config=path, variables=variables)
    assert (request.scans_per_shard, request.settings.seed, request.workers) == (3, 2, 5)


def test_config_of_render_serves_prepare_and_train(tmp_path: Path) -> None:
    """Its `out` is the data set; what only render uses may be there."""
    path = tmp_path / "night.yaml"
    path.write_text("data: d\ndataset: RP\nout: sets/rp\naccept_rejects: 2%\ntrain-steps: 7\n")
    request = gather(PrepareRequest, {"out": "runs/rp"}, config=path, variables={})
    assert (request.out, request.render.out, request.train.steps) == ("runs/rp", "sets/rp", 7)


def test_data_set_is_beside_the_trainings_by_default() -> None:
    given = {"data": "d", "dataset": "RP", "out": "runs/rp"}
    request = gather(PrepareRequest, given, config=None, variables={})
    assert request.render.out == "runs/rp/dataset"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour: red\n", "unknown name 'colour'"),
        ("- a\n", "a list"),
        ("a: [\n", "expected"),
        ("", "0 bytes"),
        ("resolution: .inf\n", "night.yaml: --resolution: inf; expected a finite number"),
        ("joint_factor: .inf\n", "night.yaml: --joint-factor: inf; expected a finite number"),
        ("yaws: [.nan]\n", "--yaws: nan; expected a finite number"),
        ("seed: 0x" + "f" * 99, "--seed: an integer of 396 bits; expected a number of at most 64"),
        ("camera: hdnt\n", "--camera: 'hdnt'; expected 2k2k or hdnet.* Write hdnet"),
        ("resolutoin: 512\n", "unknown name 'resolutoin'.*Did you mean resolution"),
    ],
)
def test_config_that_means_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "night.yaml"
    path.write_text(text)
    given = {"data": "d", "dataset": "RP", "out": "o"}
    with pytest.raises(RequestError, match=said) as refused:
        gather(RenderRequest, given, config=path, variables={})
    assert len(str(refused.value)) < 1500


def test_mistyped_variable_suggests_the_right_name() -> None:
    with pytest.raises(RequestError, match=r"SCANMILL_WORKER: .*Did you mean SCANMILL_WORKERS"):
        gather(DemoRequest, {}, config=None, variables={"SCANMILL_WORKER": "2"})


@pytest.mark.parametrize("name", ["SCANMILL_REACH", "SCANMILL_SITE_COLOUR_SCHEME", "SCANMIL"])
def test_variables_for_other_commands_and_programs_are_left_alone(name: str) -> None:
    assert gather(DemoRequest, {}, config=None, variables={name: "2"}) == DemoRequest()


def test_value_of_a_variable_is_refused_by_its_name() -> None:
    with pytest.raises(RequestError, match="SCANMILL_WORKERS: --workers: 'many'; expected a valid"):
        gather(DemoRequest, {}, config=None, variables={"SCANMILL_WORKERS": "many"})


def test_version_is_that_of_the_distribution() -> None:
    shown = CliRunner().invoke(make_app(["--version"]), ["--version"])
    assert shown.exit_code == 0
    assert shown.output == f"scanmill {metadata.version('scanmill')}\n"
