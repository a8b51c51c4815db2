"""Files that somebody made to break the pipeline: nothing crashes, hangs or is executed.

Nine families. Items that one command handles side by side (scans, videos) are one run each, in
which every hostile item fails alone and the good neighbour comes out; files that a command is told
to read (configuration, lists, checkpoints) are a command each.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hostile.annotation_cases import write_fit_cases, write_joint_cases
from tests.hostile.checkpoint_cases import (
    FIRST_STEPS,
    broken_runs,
    broken_weights,
    request,
)
from tests.hostile.conftest import GOOD, Tally
from tests.hostile.image_cases import (
    write_background_cases,
    write_good_background,
    write_texture_cases,
)
from tests.hostile.limits import (
    CASE_SECONDS,
    MEMORY_BYTES,
    ROOT,
    START_SECONDS,
    TRACEBACK,
    Ended,
    run_limited,
)
from tests.hostile.mesh_cases import write_good_ply, write_obj_cases, write_ply_cases
from tests.hostile.request_cases import configuration_calls, list_calls
from tests.hostile.video_cases import (
    spoil_correspondences,
    write_sequence_cases,
    write_videos_to_pair,
)
from tests.tasks.scan_folders import write_scan, write_thuman_scan
from tests.tasks.video.sequence_files import write_sequence

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("hostile")]

SMALL = ("--resolution", "64", "--yaws", "0", "--workers", "2")
CLI = ("-m", "flows.cli")
RUNNER = "tests.hostile.run_commands"


def render(
    root: Path, dataset: str, cases: int, environment: dict[str, str], *more: object
) -> Ended:
    command = (*CLI, "render", "--data", root, "--dataset", dataset, "--out", root / "out", *SMALL)
    return run_limited((*command, *more), cases=cases, environment=environment)


def states_of(out: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return the state of every scan or video by its name without the data set's."""
    ended = run_limited((*CLI, "status", out, "--json"), cases=1, environment=environment)
    status = json.loads(ended.text)
    shards = (*status["shards"], *status["videos"])
    return {name.rpartition("/")[2]: one["state"] for one in shards for name in one["scans"]}


def judge(family: str, cases: Sequence[str], ended: Ended, tally: Tally) -> None:
    tally.cases[family] += len(cases)
    tally.faults.update(ended.faults)
    assert not ended.faults, f"{ended.faults}, exit code {ended.code}\n{ended.text[-4000:]}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Renders a data root of hostile scans and holds the run to its end."""

    environment: dict[str, str]
    tally: Tally

    def check(
        self,
        family: str,
        root: Path,
        cases: Sequence[str],
        *,
        dataset: str = "RP",
        good: str = GOOD,
    ) -> None:
        """Reject or draw bad scans; lose none and blame none on the machine; draw the good one."""
        ended = render(root, dataset, len(cases), self.environment)
        states = states_of(root / "out", self.environment)
        judge(family, cases, ended, self.tally)
        assert states.keys() >= set(cases)
        check_states(states, ended)
        assert ended.code == 1
        assert states[good] == "done"


@pytest.fixture
def drawn(environment: dict[str, str], tally: Tally) -> Drawn:
    return Drawn(environment, tally)


def check_states(states: dict[str, str], ended: Ended) -> None:
    """Hold every item to an end: done, or rejected for what it is."""
    others = {name: state for name, state in states.items() if state not in {"done", "rejects"}}
    assert not others, f"{others}\n{ended.text[-6000:]}"


def test_meshes_fail_alone(people: Path, drawn: Drawn) -> None:
    drawn.check("meshes", people, write_obj_cases(people))


def test_meshes_of_2k2k_fail_alone(tmp_path: Path, drawn: Drawn) -> None:
    write_good_ply(tmp_path, "good")
    drawn.check("meshes", tmp_path, write_ply_cases(tmp_path), dataset="2K2K", good="good")


def test_textures_fail_alone(people: Path, drawn: Drawn) -> None:
    drawn.check("images", people, write_texture_cases(people))


def test_backgrounds_are_listed_with_their_reason(
    people: Path, tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    cases = write_background_cases(tmp_path / "images")
    write_good_background(tmp_path / "images", "good.jpg")
    ended = render(people, "RP", len(cases), environment, "--backgrounds", tmp_path / "images")
    judge("images", cases, ended, tally)
    frozen = json.loads((people / "out/backgrounds.json").read_bytes())
    used = {one["path"] for one in frozen["pictures"]}
    assert "good.jpg" in used
    assert states_of(people / "out", environment)[GOOD] == "done"
    listed = used | {one["path"] for one in frozen["refused"]}
    assert len(listed) >= len(cases) - 1  # a link that leads nowhere is no image


def test_joints_fail_alone(people: Path, drawn: Drawn) -> None:
    drawn.check("joints", people, write_joint_cases(people))


def test_fits_fail_alone_and_run_nothing(tmp_path: Path, drawn: Drawn) -> None:
    write_thuman_scan(tmp_path, "good")
    drawn.check("fits", tmp_path, write_fit_cases(tmp_path), dataset="THuman2", good="good")
    assert not list(ROOT.glob("opened-by-*"))


def test_sequences_fail_alone(tmp_path: Path, environment: dict[str, str], tally: Tally) -> None:
    cases = write_sequence_cases(tmp_path / "videos")
    write_sequence(tmp_path / "videos/good")
    command = (*CLI, "pair", "--data", tmp_path / "videos", "--out", tmp_path / "out")
    ended = run_limited(
        (*command, "--min-neighbours", "1", "--workers", "2"),
        cases=len(cases), environment=environment,
    )  # fmt: skip
    judge("sequences", cases, ended, tally)
    states = states_of(tmp_path / "out", environment)
    assert states["good"] == "done"
    check_states(states, ended)


def test_correspondences_fail_alone(
    tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    cases = write_videos_to_pair(tmp_path / "videos")
    made, published = tmp_path / "made", tmp_path / "published"
    for command in (
        ("pair", "--data", tmp_path / "videos", "--out", made, "--min-neighbours", "1"),
        ("export", "hdnet", made, "--to", published),
    ):
        prepared = run_limited((*CLI, *command), cases=len(cases), environment=environment)
        assert prepared.code == 0, prepared.text[-4000:]
    spoil_correspondences(published)
    command = ("import", "hdnet", published, "--out", tmp_path / "back")
    ended = run_limited((*CLI, *command), cases=len(cases), environment=environment)
    judge("correspondences", cases, ended, tally)
    states = states_of(tmp_path / "back", environment)
    assert states["good"] == "done"
    check_states(states, ended)


def run_together(
    calls: Sequence[tuple[str, list[str]]],
    environment: dict[str, str],
    program: str = "flows.cli.app",
) -> dict[str, dict[str, object]]:
    """Run commands in one limited process; a command that kills it has no answer."""
    lines = "".join(json.dumps(arguments) + "\n" for _, arguments in calls)
    limit = f"ulimit -d {MEMORY_BYTES >> 10}; exec {sys.executable} -m {RUNNER} {program}"
    ended = subprocess.run(
        ["bash", "-c", limit], cwd=ROOT, env={**os.environ, **environment}, input=lines,
        capture_output=True, text=True, check=False,
        timeout=START_SECONDS + CASE_SECONDS * len(calls),
    )  # fmt: skip
    answers = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert len(answers) == len(calls), ended.stderr[-4000:]
    return {name: answer for (name, _), answer in zip(calls, answers, strict=True)}


def check_answers(family: str, answers: dict[str, dict[str, object]], tally: Tally) -> None:
    """Hold every command to one short sentence and an exit code of its own."""
    tally.cases[family] += len(answers)
    faulty = {}
    for name, answer in answers.items():
        text = str(answer["text"])
        faults = [*(["hang"] if answer["code"] is None else []),
                  *(["traceback"] if TRACEBACK in text else [])]  # fmt: skip
        tally.faults.update(faults)
        if faults or len(text) > 4000:
            faulty[name] = f"{faults}: {text[-1500:]}"
    assert not faulty, "\n".join(f"{name}: {text}" for name, text in faulty.items())


def test_configurations_are_refused_in_a_sentence(
    people: Path, tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    (tmp_path / "configurations").mkdir()
    calls = list(configuration_calls(tmp_path / "configurations", people))
    answers = run_together(calls, environment)
    check_answers("configurations", answers, tally)
    assert {answer["code"] for answer in answers.values()} == {2}
    assert not list(ROOT.glob("opened-by-*"))


def test_lists_are_refused_in_a_sentence(
    people: Path, tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    (tmp_path / "lists").mkdir()
    answers = run_together(list(list_calls(tmp_path / "lists", people)), environment)
    check_answers("lists", answers, tally)


def test_trainings_go_on_from_an_older_checkpoint_or_say_why_not(
    tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    dataset, whole = older_set(tmp_path), tmp_path / "whole"
    prepared = run_together(
        [("first", request(dataset, whole, FIRST_STEPS))], environment, "training.run"
    )
    assert prepared["first"]["code"] == 0, prepared
    (tmp_path / "runs").mkdir()
    calls = list(broken_runs(tmp_path / "runs", whole, dataset))
    answers = run_together(calls, environment, "training.run")
    check_answers("checkpoints", answers, tally)
    assert answers["whole"]["code"] == 0
    assert not list(ROOT.glob("opened-by-*"))


def test_weights_are_refused_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], tally: Tally
) -> None:
    (tmp_path / "weights").mkdir()
    calls = list(broken_weights(tmp_path / "weights", older_set(tmp_path)))
    answers = run_together(calls, environment, "training.run")
    check_answers("checkpoints", answers, tally)
    assert 0 not in {answer["code"] for answer in answers.values()}
    assert not list(ROOT.glob("opened-by-*"))


def older_set(folder: Path) -> Path:
    """Unpack the small data set of tests/data/before."""
    with tarfile.open(ROOT / "tests/data/before/before.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "set"


def test_a_scan_beside_a_hostile_one_is_drawn_again_by_the_same_command(
    people: Path, environment: dict[str, str]
) -> None:
    (write_scan(people, "rp_bad_posed_001") / "rp_bad_posed_001_100k.obj").write_text("f 1 2 3\n")
    assert render(people, "RP", 2, environment).code == 1
    write_scan(people, "rp_more_posed_001")
    assert render(people, "RP", 2, environment).code == 1
    assert states_of(people / "out", environment)["rp_more_posed_001"] == "done"
