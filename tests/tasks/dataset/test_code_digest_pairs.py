import hashlib
from pathlib import Path

import grimp

from tasks.dataset.code_digest import PAIR_FILES, pair_code_digest

PROJECT = Path(__file__).resolve().parents[3]
LIFE_CYCLE = {
    "schemas/dataset_folder.py", "schemas/manifest.py", "schemas/work.py",
    "tasks/dataset/commit.py", "tasks/dataset/planning.py", "tasks/dataset/run_records.py",
    "tasks/dataset/shard_kinds.py", "tasks/dataset/splits.py", "tasks/scans/input_files.py",
    "schemas/addresses.py", "schemas/input_mirror.py",
}  # fmt: skip
"""How shards are planned, committed and recorded, and where inputs are: they make no rows, and what
they import makes none."""

NOT_DECIDING = LIFE_CYCLE | {
    "schemas/atomic_files.py", "schemas/errors.py", "schemas/settings.py",
    "schemas/wording.py", "schemas/options.py", "schemas/profiling.py", "schemas/regular_files.py",
    "schemas/file_status.py",
    "schemas/size_limits.py",
    "schemas/views.py", "schemas/keypoints.py", "schemas/fits.py", "tasks/dataset/code_digest.py",
    "schemas/worker_use.py", "tasks/machine/meter.py", "tasks/worker_beats.py",
}  # fmt: skip
"""Names, messages and records: imported, without deciding a byte of frames and pairs."""


def test_every_module_that_makes_pairs_is_listed_or_left_out() -> None:
    graph = grimp.build_graph("schemas", "renderers", "tasks", cache_dir=None)
    found, waiting = set[str](), ["tasks.video.pair_shard"]
    while waiting:
        name = waiting.pop()
        path = name.replace(".", "/") + ".py"
        if path not in found:
            found.add(path)
            waiting += () if path in LIFE_CYCLE else graph.find_modules_directly_imported_by(name)
    assert found - NOT_DECIDING == set(PAIR_FILES)


def test_every_listed_file_is_there_once() -> None:
    assert all((PROJECT / name).is_file() for name in PAIR_FILES)
    assert len(set(PAIR_FILES)) == len(PAIR_FILES)


def test_the_digest_is_the_one_of_the_listed_files() -> None:
    contents = [(name, (PROJECT / name).read_bytes()) for name in sorted(PAIR_FILES)]
    parts = [f"{name}\0{len(content)}\0".encode() + content for name, content in contents]
    assert pair_code_digest() == hashlib.sha256(b"".join(parts)).hexdigest()
