import hashlib
from pathlib import Path

import grimp

from tasks.video.code import PAIR_FILES, pair_code_digest

PROJECT = Path(__file__).resolve().parents[3]
NOT_DECIDING = {
    "schemas/dataset_folder.py", "schemas/dataset_reader.py", "schemas/errors.py",
    "schemas/manifest.py", "schemas/settings.py",
    "schemas/views.py", "schemas/keypoints.py", "schemas/fits.py", "schemas/work.py",
    "tasks/dataset/code_digest.py",
    "schemas/options.py", "schemas/regular_files.py", "schemas/size_limits.py",
    "schemas/wording.py",
    "tasks/dataset/fingerprints.py", "tasks/dataset/versions.py", "tasks/video/code.py",
}  # fmt: skip
"""Names, messages and records: imported, without deciding a byte of frames and pairs."""


def test_every_module_that_makes_pairs_is_listed_or_left_out() -> None:
    graph = grimp.build_graph("schemas", "renderers", "tasks", cache_dir=None)
    found, waiting = {"tasks.video.pair_shard"}, ["tasks.video.pair_shard"]
    while waiting:
        new = graph.find_modules_directly_imported_by(waiting.pop()) - found
        found |= new
        waiting += new
    files = {module.replace(".", "/") + ".py" for module in found}
    assert files - NOT_DECIDING == set(PAIR_FILES)


def test_every_listed_file_is_there_once() -> None:
    assert all((PROJECT / name).is_file() for name in PAIR_FILES)
    assert len(set(PAIR_FILES)) == len(PAIR_FILES)


def test_the_digest_is_the_one_of_the_listed_files() -> None:
    contents = [(name, (PROJECT / name).read_bytes()) for name in sorted(PAIR_FILES)]
    parts = [f"{name}\0{len(content)}\0".encode() + content for name, content in contents]
    assert pair_code_digest() == hashlib.sha256(b"".join(parts)).hexdigest()
