import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as pads
import pytest

from schemas.codecs import decode_image
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Failure
from tasks.dataset.card import write_card
from tests.tasks.data_sets import ball_rows, commit_rows, commit_shard

LOADER = """
import json, sys
from datasets import load_dataset

loaded = load_dataset(sys.argv[1], "samples", split="train")
first = loaded[0]
print(json.dumps({
    "names": list(loaded["sample_id"]),
    "kinds": {name: type(one).__name__ for name, one in loaded.features.items()},
    "size": first["image"].size,
    "red": first["color_front"].getpixel((32, 32)),
    "iuv": first["iuv"],
    "keypoints": len(first["keypoints"]),
    "depth": first["depth"][:4].hex(),
}))
"""


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    """Two shards with samples, and one whose every sample failed."""
    folder = commit_rows(
        tmp_path / "people", [ball_rows(f"rp_ball_posed_00{n}") for n in (1, 2, 3)]
    )
    failures = tuple(
        Failure(sample_id=f"RP/rp_ball_posed_003/{yaw}", stage="read", kind="input", error="E",
                message="m")
        for yaw in (0, 10)
    )  # fmt: skip
    commit_shard(folder, "shard-00002", [], failures=failures)
    write_card(folder)
    (folder.root / "samples/.tmp-shard-00003.parquet-0").write_bytes(b"half")
    return folder


def load_with_hugging_face(folder: DatasetFolder, cache: Path) -> str:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(folder.root)],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_hugging_face_loads_images_as_images(folder: DatasetFolder, tmp_path: Path) -> None:
    loaded = json.loads(load_with_hugging_face(folder, tmp_path / "hub"))
    assert loaded["names"] == [f"RP/rp_ball_posed_00{n}/{yaw}" for n in (1, 2) for yaw in (0, 10)]
    images = {name for name, kind in loaded["kinds"].items() if kind == "Image"}
    assert images == {"image", "color_front", "color_back", "shaded", "mask", "iuv"}
    assert (loaded["size"], loaded["red"], loaded["iuv"]) == ([64, 64], [200, 120, 40], None)
    assert (loaded["keypoints"], loaded["depth"]) == (93, "762f3101")


def test_pandas_reads_the_folder(folder: DatasetFolder) -> None:
    frame = pd.read_parquet(folder.root / "samples")
    assert list(frame["yaw"]) == [0, 10, 0, 10]
    assert decode_image(frame["color_front"][0]["bytes"])[32, 32].tolist() == [200, 120, 40]


def test_pyarrow_reads_the_folder(folder: DatasetFolder) -> None:
    samples = pads.dataset(folder.root / "samples")
    assert samples.count_rows(filter=pads.field("item") == "rp_ball_posed_002") == 2


def test_duckdb_reads_the_files(folder: DatasetFolder) -> None:
    columns = "sample_id, split, intrinsics[3], octet_length(image.bytes) > 0"
    files = f"'{folder.root}/samples/*.parquet'"
    query = f"select {columns} from {files} order by sample_id"  # noqa: S608 - the test's own path
    with duckdb.connect() as connection:
        rows = connection.execute(query).fetchall()
    assert rows[0] == ("RP/rp_ball_posed_001/0", "train", 32.0, True)
    assert len(rows) == 4


def test_totals_are_those_of_the_records(folder: DatasetFolder) -> None:
    size = sum(path.stat().st_size for path in (folder.root / "samples").glob("*.parquet"))
    assert folder.read_description().totals == {
        "shards": 3, "samples": 4, "scans": 2, "failures": 2, "bytes": size,
    }  # fmt: skip


def test_the_card_names_the_files_of_what_is_there(folder: DatasetFolder) -> None:
    card = (folder.root / "README.md").read_text()
    assert "config_name: samples" in card
    assert "path: samples/*.parquet" in card
    assert "config_name: pairs" not in card


def test_the_card_describes_every_column(folder: DatasetFolder) -> None:
    card = (folder.root / "README.md").read_text()
    assert "| `keypoints` | 93 x float |" in card
    assert "| `mask` | image | the person |" in card


def test_a_data_set_without_shards_names_no_files(tmp_path: Path) -> None:
    folder = commit_rows(tmp_path / "people", [])
    write_card(folder)
    assert "configs:" not in (folder.root / "README.md").read_text()


def test_an_unreadable_record_counts_nothing(folder: DatasetFolder) -> None:
    folder.manifest_path("shard-00000").write_text("{")
    assert write_card(folder).totals["samples"] == 2


def test_writing_the_card_again_changes_nothing(folder: DatasetFolder) -> None:
    before = (folder.root / "dataset.json").read_bytes(), (folder.root / "README.md").read_bytes()
    write_card(folder)
    assert (
        (folder.root / "dataset.json").read_bytes(),
        (folder.root / "README.md").read_bytes(),
    ) == before
