"""Training from an S3 server, a real process on loopback, against the same data on disk."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from schemas.errors import InputError, MachineError
from tests.faulty_gateway import Faults, faulty_gateway
from tests.fixtures_object_store import (
    BUCKET,
    Traffic,
    counting_gateway,
    s3_server,
    upload,
    use_store,
)
from tests.schemas.test_dataset_store import SHARES
from tests.training.conftest import request_of
from training.data.augmentation_sampler import AugmentationSampler
from training.data.background_pool import open_backgrounds
from training.data.loader import Loader
from training.data.sample_order import Order
from training.data.shard_index import ShardIndex, open_index
from training.run import main
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader

SHARD = "samples/shard-00000.parquet"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    use_store(monkeypatch, server)
    return server


@pytest.fixture(scope="module")
def uploaded(server: str, dataset: Path) -> str:
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_store(monkeypatch, server)
        return upload(dataset, "sets/ellipsoids")


@pytest.fixture
def uri(uploaded: str, store: str) -> str:  # noqa: ARG001 - the store must be there
    return uploaded


@pytest.fixture
def counted(
    server: str, uri: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Traffic]]:
    with counting_gateway(server) as traffic:
        use_store(monkeypatch, traffic.address)
        yield uri, traffic
    use_store(monkeypatch, server)


def batches(index: ShardIndex, first: int = 0, end: int = 5) -> list[PersonBatch]:
    samples = index.of_splits(["train"])
    loader = Loader(
        PersonReader(256, with_stored=True), samples, Order(len(samples), 7, 0, 1, 2),
        AugmentationSampler(7), workers=2,
    )  # fmt: skip
    found = list(loader.batches(first, end))
    loader.close()
    return found


def test_the_samples_and_their_order_are_those_of_the_folder(uri: str, dataset: Path) -> None:
    stored, local = (
        batches(open_index([uri], PEOPLE_2K2K)),
        batches(open_index([str(dataset)], PEOPLE_2K2K)),
    )
    assert [batch.sample_ids for batch in stored] == [batch.sample_ids for batch in local]
    for one, other in zip(stored, local, strict=True):
        assert all(
            torch.equal(getattr(one, name), getattr(other, name))
            for name in ("shaded", "background", "front", "back", "keypoints_px", "focal_px")
        )


def test_a_resume_continues_at_the_exact_sample(uri: str) -> None:
    index = open_index([uri], PEOPLE_2K2K)
    whole, resumed = batches(index), batches(index, 3, 5)
    assert [batch.sample_ids for batch in resumed] == [batch.sample_ids for batch in whole[3:]]


def test_the_digest_is_that_of_the_folder(uri: str, dataset: Path) -> None:
    assert open_index([uri], PEOPLE_2K2K).digest == open_index([str(dataset)], PEOPLE_2K2K).digest


def test_a_sample_costs_the_bytes_of_its_columns_and_few_requests(
    counted: tuple[str, Traffic], dataset: Path
) -> None:
    uri, traffic = counted
    address = open_index([uri], PEOPLE_2K2K).samples[0]
    reader = PersonReader(256, with_stored=False)
    reader.read(address)
    traffic.answers.clear()
    reader.read(address)
    row = pq.ParquetFile(dataset / SHARD).read_row_group(0).to_pylist()[0]
    needed = len(row["depth"]) + len(row["shaded"]["bytes"])
    assert len(traffic.of(SHARD)) <= 3
    # Besides these: joints, intrinsics, page headers, and gaps that are cheaper than a request.
    assert needed < sum(traffic.of(SHARD)) < needed + 3 * (16 << 10)


def test_the_index_costs_one_read_of_each_footer(counted: tuple[str, Traffic]) -> None:
    uri, traffic = counted
    open_index([uri], PEOPLE_2K2K)
    assert [len(traffic.of(f"samples/shard-0000{n}.parquet")) for n in range(2)] == [1, 1]


def test_fresh_backgrounds_come_from_the_list_in_the_store(
    store: str, dataset: Path, tmp_path: Path  # noqa: ARG001 - the store must be there
) -> None:  # fmt: skip
    entry = {"path": "a.jpg", "sha256": "0", "width": 1024, "height": 1024}
    uri = upload(dataset, "sets/rooms")
    (tmp_path / "backgrounds.json").write_text(json.dumps({"pictures": [entry]}))
    upload(tmp_path, "sets/rooms")
    pool = open_backgrounds(open_index([uri], PEOPLE_2K2K).datasets, tmp_path, 256)
    assert [image.path for image in pool.images] == ["a.jpg"]


def test_a_run_in_two_parts_from_the_store_is_the_run_from_the_folder(
    uri: str, dataset: Path, tmp_path: Path
) -> None:
    few = ["--nets", "coarse", "--width", "0.05", "--schedule", "constant"]

    def train(data: str, out: str, steps: int) -> int:
        place = str(tmp_path / out)
        return main(
            request_of(["2k2k-normal", "--data", data, "--out", place, "--steps", str(steps), *few])
        )

    assert [train(uri, "stored", 2), train(uri, "stored", 4), train(str(dataset), "local", 4)] == [
        0, 0, 0,
    ]  # fmt: skip
    curves = [
        [json.loads(line)["loss"] for line in text.splitlines() if "rate" in line]
        for text in ((tmp_path / out / "metrics.jsonl").read_text() for out in ("stored", "local"))
    ]
    assert len(curves[0]) == 4
    np.testing.assert_array_equal(curves[0], curves[1])


@pytest.mark.long
def test_a_run_from_a_store_that_fails_is_the_run_from_the_folder(
    server: str, uri: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = ["--nets", "coarse", "--width", "0.05", "--schedule", "constant", "--steps", "2"]
    losses = []
    with faulty_gateway(server, Faults(SHARES, delay_s=0.005, seed=4)) as faults:
        use_store(monkeypatch, faults.address)
        for number, data in enumerate((uri, str(dataset))):
            out = tmp_path / str(number)
            assert main(request_of(["2k2k-normal", "--data", data, "--out", str(out), *few])) == 0
            lines = (out / "metrics.jsonl").read_text().splitlines()
            losses.append([json.loads(line)["loss"] for line in lines if "rate" in line])
    use_store(monkeypatch, server)
    assert losses[0] == losses[1]
    assert all(faults.counts[fault] for fault in SHARES)


def refusal(capsys: pytest.CaptureFixture[str], uri: str, out: Path) -> tuple[int, str]:
    code = main(request_of(["2k2k-normal", "--data", uri, "--out", str(out), "--steps", "1"]))
    return code, capsys.readouterr().err


def test_a_missing_bucket_is_one_line(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]  # noqa: ARG001 - as above
) -> None:  # fmt: skip
    code, said = refusal(capsys, "s3://nowhere/set", tmp_path / "out")
    assert code == 2
    assert said.startswith("error: s3://nowhere/set: no such bucket (NoSuchBucket)")
    assert said.count("\n") == 1


def test_a_prefix_without_a_data_set_is_one_line(
    uri: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refusal(capsys, f"{uri}/samples", tmp_path / "out")
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"error: s3://{BUCKET}/sets/ellipsoids/samples: no committed shard")


def test_an_endpoint_that_nobody_serves_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_store(monkeypatch, "http://127.0.0.1:9")
    code, said = refusal(capsys, "s3://people/set", tmp_path / "out")
    assert (code, said.count("\n")) == (1, 1)
    # Not "error:", which is final: the same command may succeed later.
    assert said.startswith("failed: s3://people/set: the store can't be reached (Endpoint")
    assert "AWS_ENDPOINT_URL" in said


def test_missing_credentials_are_one_line(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_store(monkeypatch, store)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, said = refusal(capsys, "s3://people/set", tmp_path / "out")
    assert (code, said.count("\n")) == (1, 1)
    assert "no credentials were found (NoCredentialsError)" in said


def test_a_shard_shorter_than_its_manifest_says_is_named(
    store: str, dataset: Path, tmp_path: Path  # noqa: ARG001 - as above
) -> None:  # fmt: skip
    uri = upload(dataset, "sets/cut")
    cut = tmp_path / SHARD
    cut.parent.mkdir()
    cut.write_bytes((dataset / SHARD).read_bytes()[:-10])
    upload(tmp_path, "sets/cut")
    with pytest.raises(InputError, match=r"s3://people/sets/cut/samples/shard-00000\.parquet: can"):
        open_index([uri], PEOPLE_2K2K)


def test_a_store_that_hangs_up_stops_the_run_and_is_no_bad_sample(
    counted: tuple[str, Traffic],
) -> None:
    uri, traffic = counted
    samples = open_index([uri], PEOPLE_2K2K).samples
    loader = Loader(
        PersonReader(256, with_stored=False), samples, Order(len(samples), 0, 0, 1, 1),
        AugmentationSampler(0), workers=1, max_bad_samples=100,
    )  # fmt: skip
    traffic.cut = True
    with pytest.raises(MachineError, match="an answer from the store"):
        next(loader.batches(0, 1))
    loader.close()
    assert loader.bad_samples == []
