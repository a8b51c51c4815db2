"""Limits of workers in real processes: a scan that hangs, one that eats memory, recycling."""

import json
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Failure
from tasks.dataset.run_records import read_runs
from tests.flows.conftest import SMALL, Command, command_in, own_folders
from tests.flows.live_server import LiveServer
from tests.flows.stopping import stopping_workers
from tests.tasks.scan_folders import write_scan

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]

GOOD, HANGS, EATS = ("rp_ann_posed_001", "rp_dan_posed_001"), "rp_bob_posed_001", "rp_cid_posed_001"
LIMIT_S = 10
LARGE_TEXTURE = 16_000
"""Texels a side: 768 MB of bytes, in a file of some MB."""


class Limited(NamedTuple):
    """A data set of two shards of two scans, one of which hung and one ate memory."""

    out: Path
    answer: dict[str, object]
    code: int
    stopped: list[int]

    @property
    def failures(self) -> dict[str, Failure]:
        """What failed, by sample."""
        listed = self.answer["failures"]
        assert isinstance(listed, list)
        return {one["sample_id"]: Failure.model_validate(one) for one in listed}


@pytest.fixture(scope="module")
def limited(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Limited:
    folder = tmp_path_factory.mktemp("limited")
    for seed, item in enumerate((*GOOD, HANGS, EATS)):
        write_scan(folder / "people", item, seed=seed)
    large = np.full((LARGE_TEXTURE, LARGE_TEXTURE, 3), 90, np.uint8)
    # A PNG, known by its content: unlike a JPEG it is decoded whole before it is made smaller.
    _, data = cv2.imencode(".png", large)
    (folder / f"people/obj/RP/{EATS}_OBJ/tex/{EATS}_dif_8k.jpg").write_bytes(data.tobytes())
    run = command_in({**server.environment, **own_folders(folder)})
    with stopping_workers(folder / "tmp", f"RP/{HANGS}") as stopped:
        done = run(
            "render", "--data", folder / "people", "--dataset", "RP", "--out", folder / "out",
            *SMALL, "--workers", 1, "--scans-per-shard", 2, "--scan-seconds", LIMIT_S,
            "--worker-memory-gib", 1, "--scans-per-worker", 2, "--json",
        )  # fmt: skip
    assert done.stdout, done.stderr
    return Limited(folder / "out", json.loads(done.stdout), done.returncode, stopped)


def test_scan_that_hangs_fails_alone_and_says_why(limited: Limited) -> None:
    failed = [limited.failures[f"RP/{HANGS}/{yaw}"] for yaw in (0, 30)]
    assert len(limited.stopped) == 1  # it is not tried again
    assert {one.kind for one in failed} == {"environment"}
    for one in failed:
        assert one.message.startswith(f"RP/{HANGS}: it took more than {LIMIT_S} s")


def test_scan_that_eats_memory_fails_alone_and_says_why(limited: Limited) -> None:
    failed = [limited.failures[f"RP/{EATS}/{yaw}"] for yaw in (0, 30)]
    assert {one.kind for one in failed} == {"environment"}
    assert all("GiB" in one.message for one in failed), failed


def test_the_others_go_on(limited: Limited) -> None:
    assert limited.code == 1
    assert limited.answer["samples"] == 4
    assert len(limited.failures) == 4


def test_workers_are_recycled_and_what_they_took_is_recorded(limited: Limited) -> None:
    record = read_runs(DatasetFolder.at(str(limited.out)))[-1]
    assert len({one.pid for one in record.use}) == 2  # two scans each: one shard
    assert sum(one.jobs for one in record.use) == 2
    assert all(one.max_memory > 10**8 and one.cpu_seconds > 0 for one in record.use)
    assert record.bytes == sum(path.stat().st_size for path in (limited.out / "samples").iterdir())


def test_rerun_with_more_time_and_memory_does_the_rest(limited: Limited, scanmill: Command) -> None:
    done = scanmill("rerun", limited.out, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["samples"] == 8
