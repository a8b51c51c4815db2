"""Whole commands on data sets in a bucket behind a gateway that fails, and two hosts at once."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import cast

import cv2
import numpy as np
import pytest
from fsspec import filesystem

from schemas.codecs import decode_image
from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import validate_dataset
from tasks.dataset.shards import read_rows
from tests.faulty_gateway import Faults, faulty_gateway
from tests.fixtures_object_store import BUCKET, s3_server, upload, use_store
from tests.schemas.test_dataset_store import SHARES
from tests.tasks.scan_folders import write_scan

SCANS = 6
FEW = ("--resolution", "64", "--yaws", "0,10", "--workers", "1")
HOST = """
import os, socket
if "TEST_HOST" in os.environ:
    socket.gethostname = lambda: os.environ["TEST_HOST"]
"""
"""A sitecustomize.py: processes of one machine with host names of their own."""

SECRETS = ("127.0.0.1", "localhost", "AKIATEST", "secret-of-the-test")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scans")
    for number in range(SCANS):
        write_scan(root, f"rp_box_posed_00{number}", seed=number)
    return root


@pytest.fixture(scope="module")
def rendered(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Render the scans on one host into a folder."""
    out = tmp_path_factory.mktemp("alone")
    finish(start(out, "render", "--data", scans, "--dataset", "RP", "--out", out / "set", *FEW))
    return out / "set"


@pytest.fixture(scope="module")
def alone(rendered: Path) -> Mapping[str, bytes]:
    """Return the bytes of the shards of one host."""
    return shards_of(str(rendered))


@contextmanager
def store_at(address: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_store(monkeypatch, address)
        yield


def start(place: Path, *words: object, endpoint: str = "", host: str = "") -> subprocess.Popen[str]:
    """Start a command as a process with a cache and a temporary folder of its own."""
    own = {"XDG_CACHE_HOME": place / "cache", "TMPDIR": place / "tmp", "PYTHONPATH": place}
    (place / "tmp").mkdir(parents=True, exist_ok=True)
    (place / "sitecustomize.py").write_text(HOST)
    variables = os.environ | {name: str(path) for name, path in own.items()}
    if endpoint:
        variables |= {
            "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIATEST",
            "AWS_SECRET_ACCESS_KEY": "secret-of-the-test", "AWS_DEFAULT_REGION": "us-east-1",
        }  # fmt: skip
    if host:
        variables["TEST_HOST"] = host
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *map(str, words)], env=variables, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], *, code: int = 0) -> str:
    said, _ = process.communicate(timeout=600)
    assert process.returncode == code, said
    return said


def shards_of(uri: str) -> dict[str, bytes]:
    folder, found = DatasetFolder.at(uri), {}
    for shard_id in folder.committed_shards():
        with folder.local_shard(shard_id) as path:
            found[shard_id] = path.read_bytes()
    return found


def check_shared(uri: str, alone: Mapping[str, bytes], said: list[str]) -> None:
    """Check that each shard was made once, by one of two hosts, with the bytes of one host."""
    folder = DatasetFolder.at(uri)
    assert shards_of(uri) == alone
    assert validate_dataset(folder).findings == ()
    manifests = [folder.read_manifest(shard_id) for shard_id in folder.committed_shards()]
    assert [one.attempt for one in manifests] == [1] * SCANS
    assert {one.host for one in manifests} == {"first-host", "second-host"}
    records = [
        json.loads(folder.store.read(f"runs/{name}")) for name in folder.store.list_names("runs")
    ]
    made = [(one["host"], shard_id) for one in records for shard_id in one["shards"]]
    assert sorted(made) == sorted((one.host, one.shard_id) for one in manifests)
    assert folder.store.list_names("claims/samples") == ()
    assert not any("another writer changed" in text for text in said)


def render_on_two_hosts(tmp_path: Path, scans: Path, uri: str, endpoint: str = "") -> list[str]:
    hosts = ("first-host", "second-host")
    words = ("render", "--data", scans, "--dataset", "RP", "--out", uri, *FEW)
    running = [start(tmp_path / host, *words, endpoint=endpoint, host=host) for host in hosts]
    return [finish(process) for process in running]


@pytest.mark.long
def test_two_hosts_share_a_data_set_in_a_folder(
    tmp_path: Path, scans: Path, alone: Mapping[str, bytes]
) -> None:
    said = render_on_two_hosts(tmp_path, scans, str(tmp_path / "shared/set"))
    check_shared(str(tmp_path / "shared/set"), alone, said)


@pytest.mark.long
def test_two_hosts_share_a_data_set_in_a_store_that_fails(
    tmp_path: Path, server: str, scans: Path, alone: Mapping[str, bytes]
) -> None:
    with store_at(server):
        filesystem("s3").makedirs(BUCKET, exist_ok=True)
        uri = f"s3://{BUCKET}/{tmp_path.name}/shared"
        with faulty_gateway(server, Faults(SHARES, delay_s=0.01, seed=5)) as faults:
            said = render_on_two_hosts(tmp_path, scans, uri, faults.address)
        assert all(faults.counts[fault] for fault in SHARES)
        check_shared(uri, alone, said)


@pytest.mark.long
def test_what_a_killed_host_was_making_is_made_by_the_other(
    tmp_path: Path, scans: Path, alone: Mapping[str, bytes]
) -> None:
    uri = str(tmp_path / "shared/set")
    words = ("render", "--data", scans, "--dataset", "RP", "--out", uri, *FEW)
    claims = tmp_path / "shared/set/claims/samples"
    killed = start(tmp_path / "first", *words, host="first-host")
    while killed.poll() is None and not list(claims.glob("shard-*.json")):
        Event().wait(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    finish(start(tmp_path / "second", *words, host="second-host"))
    assert shards_of(uri) == alone
    assert list(claims.glob("*")) == []


@pytest.mark.long
def test_every_command_works_on_a_store_that_fails(
    tmp_path: Path, server: str, scans: Path, alone: Mapping[str, bytes]
) -> None:
    with store_at(server):
        filesystem("s3").makedirs(BUCKET, exist_ok=True)
        data = upload(scans, f"{tmp_path.name}/scans")
        uri, again = (f"s3://{BUCKET}/{tmp_path.name}/{name}" for name in ("set", "imported"))
        with faulty_gateway(server, Faults(SHARES, delay_s=0.005, seed=9)) as faults:

            def run(*words: object, code: int = 0) -> str:
                return finish(start(tmp_path, *words, endpoint=faults.address), code=code)

            run("render", "--data", data, "--dataset", "RP", "--out", uri, *FEW)
            assert shards_of(uri) == alone
            filesystem("s3").rm_file(f"{uri.removeprefix('s3://')}/samples/shard-00001.parquet")
            assert "shard-00001 │ corrupt" in run("status", uri, code=1)
            run("rerun", uri, "--workers", "1")
            assert f"{SCANS} done" in run("status", uri, "--deep")
            assert "Everything holds" in run("validate", uri, "--workers", "2")
            run("report", uri, "--out", tmp_path / "report.html")
            out = tmp_path / "views"
            run("export", "2k2k", uri, "--to", out, "--allow-other-resolution", "--workers", "1")
            run("import", "2k2k", out, "--out", again, "--workers", "1")
            assert f"{SCANS} done" in run("status", again, code=0)
        assert shards_of(uri) == alone
        assert all(faults.counts[fault] for fault in SHARES)
        for name in filesystem("s3").find(f"{BUCKET}/{tmp_path.name}"):
            content = filesystem("s3").cat_file(name)
            assert not any(word.encode() in content for word in SECRETS), name


def write_rooms(folder: Path) -> Path:
    rng = np.random.default_rng(4)
    for number in range(3):
        path = folder / f"office/room{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), rng.integers(0, 255, (300, 400, 3), np.uint8))
    return folder


def write_iuv(rendered: Path, folder: Path) -> Path:
    """Write a DensePose image for each sample of a data set: part 2 where the mask is."""
    for path in sorted((rendered / "samples").glob("*.parquet")):
        for row in read_rows(path):
            inside = decode_image(cast("dict[str, bytes]", row["mask"])["bytes"]) > 0
            place = folder / f"{str(row['sample_id']).removesuffix('/hdnet')}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(place), np.where(inside, (90, 90, 2), 0).astype(np.uint8))
    return folder


@pytest.mark.long
def test_all_inputs_and_exports_are_in_a_store(tmp_path: Path, server: str, scans: Path) -> None:
    """Rooms and DensePose images come from the bucket, published layout and report go there."""
    words = ("render", "--dataset", "RP", "--camera", "hdnet", "--yaws", "0", "--workers", "1")
    with store_at(server):

        def run(*words: object) -> str:
            return finish(start(tmp_path / "host", *words, endpoint=server))

        rooms, plain = write_rooms(tmp_path / "rooms"), tmp_path / "plain"
        run(*words, "--data", scans, "--backgrounds", rooms, "--out", plain)
        iuv = write_iuv(plain, tmp_path / "iuv")
        full = (*words, "--data", scans, "--backgrounds", rooms, "--densepose", iuv)
        run(*full, "--out", tmp_path / "here")
        there = f"s3://{BUCKET}/{tmp_path.name}"
        places = {"data": scans, "backgrounds": rooms, "densepose": iuv}
        sent = {name: upload(path, f"{tmp_path.name}/{name}") for name, path in places.items()}
        given = [word for name, address in sent.items() for word in (f"--{name}", address)]
        run(*words, *given, "--out", f"{there}/set")
        assert shards_of(f"{there}/set") == shards_of(str(tmp_path / "here"))
        assert shards_of(f"{there}/set") != shards_of(str(plain))
        run("export", "hdnet", f"{there}/set", "--to", f"{there}/published", "--workers", "1")
        assert "Everything holds" in run("validate", f"{there}/published", "--layout", "hdnet")
        run("import", "hdnet", f"{there}/published", "--out", f"{there}/back", "--workers", "1")
        assert "6 of 6 samples" in run("status", f"{there}/back")
        run("report", f"{there}/set", "--out", f"{there}/report.html")
        assert b"<html" in filesystem("s3").cat_file(f"{there}/report.html")
