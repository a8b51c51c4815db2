from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from schemas.atomic_files import write_atomically
from schemas.codecs import encode_front_normals, encode_mask, encode_png
from schemas.dataset_folder import DatasetFolder, Part
from tasks.dataset.shards import read_rows, write_shard
from tasks.video.video_shards import FRAME_FORMAT as FRAMES
from tasks.video.video_shards import PAIR_FORMAT as PAIRS
from tasks.video.video_validation import validate_videos
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence

Row = dict[str, object]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "data/dance", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    return tmp_path / "out"


def found(out: Path) -> str:
    check = validate_videos(DatasetFolder.at(out))
    return "\n".join(f"{one.where}|{one.what}|{one.found}|{one.expected}" for one in check.findings)


def rewrite(out: Path, part: Part, change: Callable[[list[Row]], list[Row]]) -> None:
    """Change the rows of a part and commit them as if they had been made so."""
    folder, layout = DatasetFolder.at(out), FRAMES if part == "frames" else PAIRS
    path = folder.shard_path("shard-00000", part)
    rows = change(list(read_rows(path)))
    with write_shard(path, layout) as writer:
        for row in rows:
            writer.write(row)
        written = writer.finish()
    update = {"sha256": written.sha256, "bytes": written.bytes, "rows": len(rows),
              "sample_ids": written.sample_ids}  # fmt: skip
    manifest = folder.read_manifest("shard-00000", part).model_copy(update=update)
    write_atomically(folder.manifest_path("shard-00000", part), manifest.model_dump_json())


def test_what_was_paired_holds(out: Path) -> None:
    check = validate_videos(DatasetFolder.at(out))
    assert (check.findings, check.videos, check.frames, check.pairs) == ((), 1, 3, 6)


def image(data: bytes) -> Row:
    return {"bytes": data, "path": None}


SMALL = np.zeros((8, 8, 3), np.uint8)
UNEVEN = np.full((256, 256, 3), 30, np.uint8)
LONG = np.zeros((256, 256, 3), np.float32) + 1


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"frame_id": "dance/4"}, "frame_id|dance/4|dance/0000004"),
        ({"split": "none"}, "video, split"),
        ({"intrinsics": [1.0] * 9}, "intrinsics"),
        ({"crop": [0.0, 0.0, 0.0, 5.0]}, "crop"),
        ({"crop": [np.nan, 0.0, 1.0, 5.0]}, "crop"),
        ({"color": image(encode_png(SMALL))}, "color|8 x 8"),
        ({"color": image(b"GIF89a")}, "can't be decoded"),
        ({"mask": image(encode_mask(np.zeros((256, 256), bool)))}, "mask|levels [0]"),
        ({"mask": image(encode_png(UNEVEN))}, "mask|levels [30]"),
        ({"iuv": image(encode_png(UNEVEN))}, "iuv|part 30"),
        ({"iuv": None}, "iuv|null|an image"),
        (
            {"pred_normals": encode_front_normals(LONG, np.ones((256, 256), bool))},
            "pred_normals|256 x 256, length off by 0.732",
        ),
    ],
)
def test_every_breach_of_a_frame_is_found(out: Path, change: Row, finding: str) -> None:
    rewrite(out, "frames", lambda rows: [rows[0], rows[1] | change, rows[2]])
    assert finding in found(out)


def shift_pixels(row: Row) -> Row:
    return row | {"pixels": [[value + 1 for value in one] for one in row["pixels"]]}  # type: ignore[attr-defined]  # a list column


def empty_limits(row: Row) -> Row:
    return row | {"limits": [-1] * 48}


def rename(row: Row) -> Row:
    return row | {"pair_id": "dance/1--4"}


def lose_frame(row: Row) -> Row:
    return row | {"frame_j": 5}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (shift_pixels, "seem one too large, counted from another base"),
        (empty_limits, "limits|ranges of 0 rows|of all 1440"),
        (rename, "pair_id|dance/1--4|dance/0000001--0000004"),
        (lose_frame, "no frame [5]"),
    ],
)
def test_every_breach_of_a_pair_is_found(
    out: Path, change: Callable[[Row], Row], finding: str
) -> None:
    rewrite(out, "pairs", lambda rows: [change(rows[0]), *rows[1:]])
    assert finding in found(out)


def test_a_frame_with_too_few_neighbours_is_found(out: Path) -> None:
    rewrite(out, "pairs", lambda rows: rows[1:])
    assert "dance, frame 1|neighbours|1|2 to 4" in found(out)


def test_pairs_of_a_single_frame_are_found(out: Path) -> None:
    rewrite(out, "pairs", lambda rows: rows[:2])
    assert "dance|frames with pairs|1|2 or none" in found(out)


def test_a_pair_twice_is_found(out: Path) -> None:
    rewrite(out, "pairs", lambda rows: [rows[0], *rows])
    assert "1 names twice" in found(out)


def test_a_file_that_is_not_the_committed_one_is_found(out: Path) -> None:
    path = out / "pairs/shard-00000.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "pairs/shard-00000.parquet|sha256" in found(out)


def test_strange_files_and_records_are_found(out: Path) -> None:
    (out / "frames/notes.txt").write_text("mine")
    record = out / "manifests/pairs/shard-00000.json"
    (out / "manifests/pairs/shard-00007.json").write_bytes(record.read_bytes())
    text = found(out)
    assert "frames/notes.txt|file|not one of ours" in text
    assert "manifests/pairs/shard-00007.json|record|unplanned" in text


def test_a_missing_record_is_found(out: Path) -> None:
    (out / "manifests/pairs/shard-00000.json").unlink()
    assert "pairs/shard-00000.parquet|shard|no shard-00000.json|a shard" in found(out)
