import hashlib
from pathlib import Path

import grimp
import pytest

from tasks.dataset import code_digest
from tasks.dataset.code_digest import NOT_PIXELS, PIXEL_FILES

PROJECT = Path(__file__).resolve().parents[3]
ROOMS = ("schemas", "renderers", "tasks", "flows", "training")
MAKERS = (
    "tasks.samples.drawing",
    "tasks.samples.encoding",
    "tasks.samples.scan_reading",
    "tasks.dataset.shards",
)
"""What makes a sample's bytes; everything that these import may decide pixels."""


@pytest.fixture(scope="module")
def imported_files() -> set[str]:
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    found, waiting = set(MAKERS), list(MAKERS)
    while waiting:
        new = graph.find_modules_directly_imported_by(waiting.pop()) - found
        found |= new
        waiting += new
    paths = (PROJECT / module.replace(".", "/") for module in found)
    return {
        (path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))
        .relative_to(PROJECT)
        .as_posix()
        for path in paths
    }


def test_every_module_that_makes_samples_is_listed_or_left_out_with_a_reason(
    imported_files: set[str],
) -> None:
    listed = {name for name in PIXEL_FILES if name.endswith(".py")}
    assert imported_files == listed | set(NOT_PIXELS)


def test_no_module_is_both_listed_and_left_out() -> None:
    assert not set(PIXEL_FILES) & set(NOT_PIXELS)


def test_shaders_and_tables_beside_the_listed_modules_are_listed(imported_files: set[str]) -> None:
    folders = {(PROJECT / name).parent for name in imported_files} | {PROJECT / "renderers/shaders"}
    beside = {
        path.relative_to(PROJECT).as_posix()
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in {".py", ".md", ".pyc"}
    }
    assert beside == {name for name in PIXEL_FILES if not name.endswith(".py")}


def test_the_digest_changes_with_one_byte_of_a_listed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr(code_digest, "PIXEL_FILES", ("a.py",))
    monkeypatch.setattr(code_digest, "_PROJECT", tmp_path)
    before = code_digest.code_digest.__wrapped__()
    (tmp_path / "a.py").write_text("x = 2\n")
    assert code_digest.code_digest.__wrapped__() != before


def test_the_digest_covers_name_length_and_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.py").write_bytes(b"y")
    (tmp_path / "a.py").write_bytes(b"x = 1\n")
    monkeypatch.setattr(code_digest, "_PROJECT", tmp_path)
    expected = hashlib.sha256(b"a.py\x006\x00x = 1\nb.py\x001\x00y").hexdigest()
    assert code_digest.digest_files_of(["b.py", "a.py"]) == expected
