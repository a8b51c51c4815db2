import json
import pickle
import resource
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemWriter, _StorageInfo
from torch.distributed.checkpoint.metadata import (
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.errors import InputError, StorageError
from training.loop import checkpoints
from training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointMeta,
    find_resumable,
    load_state,
    named_by,
    point,
    prune,
    read_meta,
    read_tensors,
    save_checkpoint,
    step_name,
    verify_files,
)
from training.loop.distributed import Ranks, join_ranks

MEMO_KIB = 512 << 10
"""An eighth of what the memo's largest index would take."""


@pytest.fixture(scope="module")
def ranks() -> Iterator[Ranks]:
    with join_ranks(torch.device("cpu")) as joined:
        yield joined


def state() -> dict[str, Tensor]:
    return {
        "model.a": torch.arange(6.0).view(2, 3),
        "model.b": torch.tensor(7),
        "random.0.cpu": torch.arange(9, dtype=torch.uint8),
    }


def meta(step: int) -> CheckpointMeta:
    return CheckpointMeta(step=step, batches=2 * step, best_loss=0.1, world=1)


def test_tensors_come_back_as_they_were(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    loaded = {name: torch.zeros_like(value) for name, value in state().items()}
    load_state(folder, loaded, ranks.control)
    assert all(torch.equal(loaded[name], value) for name, value in state().items())


def test_the_description_comes_back(tmp_path: Path, ranks: Ranks) -> None:
    assert read_meta(save_checkpoint(tmp_path, state(), meta(3), ranks)) == meta(3)


def test_latest_names_the_newest_step(tmp_path: Path, ranks: Ranks) -> None:
    save_checkpoint(tmp_path, state(), meta(3), ranks)
    newest = save_checkpoint(tmp_path, state(), meta(4), ranks)
    assert named_by(tmp_path, LATEST) == newest
    assert newest.name == "step-00000004"


def test_a_write_that_breaks_off_leaves_no_step_folder_and_the_old_latest(
    tmp_path: Path, ranks: Ranks, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save_checkpoint(tmp_path, state(), meta(3), ranks)

    def full_disk(path: Path, data: str) -> None:
        raise OSError(28, "No space left on device", str(path), data)

    monkeypatch.setattr(checkpoints, "write_atomically", full_disk)
    with pytest.raises(StorageError, match="No space left"):
        save_checkpoint(tmp_path, state(), meta(4), ranks)
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [before.name]
    assert named_by(tmp_path, LATEST) == before


def test_tensors_that_find_no_room_are_one_error_and_leave_nothing(
    tmp_path: Path, ranks: Ranks
) -> None:
    before = save_checkpoint(tmp_path, state(), meta(3), ranks)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(StorageError) as said:
            save_checkpoint(tmp_path, {"model.a": torch.zeros(1 << 20)}, meta(4), ranks)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(str(said.value).splitlines()) == 1
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == [before.name]


def test_what_a_killed_run_left_is_written_over(tmp_path: Path, ranks: Ranks) -> None:
    left = tmp_path / "checkpoints" / ".tmp-step-00000004"
    left.mkdir(parents=True)
    (left / "__0_0.distcp").write_bytes(b"half")
    folder = save_checkpoint(tmp_path, state(), meta(4), ranks)
    assert torch.equal(read_tensors(folder, "model.")["b"], torch.tensor(7))
    assert not left.exists()


def test_pruning_keeps_the_last_the_latest_and_the_best(tmp_path: Path) -> None:
    for step in range(6):
        (tmp_path / "checkpoints" / step_name(step)).mkdir(parents=True)
    point(tmp_path, BEST, step_name(1))
    point(tmp_path, LATEST, step_name(5))
    prune(tmp_path, 2)
    kept = sorted(path.name for path in (tmp_path / "checkpoints").iterdir())
    assert kept == [step_name(1), step_name(4), step_name(5)]


def test_weights_can_be_read_by_prefix_alone(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    assert set(read_tensors(folder, "model.")) == {"a", "b"}


def test_a_missing_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no readable checkpoint description"):
        read_meta(tmp_path)


@dataclass
class Payload:
    """Unpickling this writes a file."""

    mark: Path

    def __reduce__(self) -> tuple[object, ...]:
        """Say how to be rebuilt: by touching the file."""
        return Path.touch, (self.mark,)


def test_an_index_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    (tmp_path / ".metadata").write_bytes(pickle.dumps(Payload(mark)))
    with pytest.raises(InputError, match=r"\.metadata: names"):
        read_tensors(tmp_path, "")
    assert not mark.exists()


def test_a_memo_of_gigabytes_reserves_nothing(tmp_path: Path) -> None:
    (tmp_path / ".metadata").write_bytes(b"\x80\x02]r\xff\xff\xff\x0f.")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="a list"):
        read_tensors(tmp_path, "model.")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMO_KIB


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_a_checkpoint_of_anything_but_tensors_is_refused(tmp_path: Path) -> None:
    # Such entries would be unpickled without restraint by torch.
    content = {"model.a": torch.zeros(2), "model.b": {"anything": "else"}}
    save(content, storage_writer=FileSystemWriter(tmp_path), no_dist=True)
    with pytest.raises(InputError, match="BytesStorageMetadata"):
        read_tensors(tmp_path, "")


def test_a_cut_index_is_refused(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    (folder / ".metadata").write_bytes((folder / ".metadata").read_bytes()[:50])
    with pytest.raises(InputError, match="expected the index of a checkpoint of tensors"):
        read_tensors(folder, "")


FILES = ("meta.json", ".metadata", "__0_0.distcp", "SHA256SUMS")


def save_two(out: Path, ranks: Ranks) -> tuple[Path, Path]:
    first = save_checkpoint(out, state(), meta(3), ranks)
    return first, save_checkpoint(out, state(), meta(4), ranks)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def age(folder: Path) -> None:
    """Make of a step folder what version 1 wrote: no hashes."""
    (folder / "SHA256SUMS").unlink()
    described = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(described | {"format_version": 1}))


def test_a_whole_checkpoint_is_where_a_run_goes_on(tmp_path: Path, ranks: Ranks) -> None:
    _, last = save_two(tmp_path, ranks)
    found = find_resumable(tmp_path)
    assert (found.folder, found.step, found.broken) == (last, 4, ())


@pytest.mark.parametrize("spoil", [flip, cut, empty, Path.unlink])
@pytest.mark.parametrize("name", FILES)
def test_a_broken_checkpoint_is_named_and_the_one_before_it_is_used(
    tmp_path: Path, ranks: Ranks, name: str, spoil: Callable[[Path], None]
) -> None:
    first, last = save_two(tmp_path, ranks)
    spoil(last / name)
    found = find_resumable(tmp_path)
    assert (found.folder, found.step) == (first, 3)
    assert found.broken[0].startswith(f"checkpoint {last.name} is broken and not used: {last}")


def test_when_no_checkpoint_is_whole_one_sentence_says_so(tmp_path: Path, ranks: Ranks) -> None:
    for folder in save_two(tmp_path, ranks):
        flip(folder / "__0_0.distcp")
    with pytest.raises(InputError, match=r"checkpoints: no whole checkpoint; .*step-00000004"):
        find_resumable(tmp_path)


def test_without_any_checkpoint_a_run_begins(tmp_path: Path) -> None:
    assert find_resumable(tmp_path).folder is None


@pytest.mark.parametrize("text", ["", "words\n", "../step-00000004\n", "step-00000009\n"])
def test_where_latest_names_nothing_the_newest_is_used(
    tmp_path: Path, ranks: Ranks, text: str
) -> None:
    _, last = save_two(tmp_path, ranks)
    (tmp_path / "latest").write_text(text)
    assert find_resumable(tmp_path).folder == last


def test_checkpoints_from_before_the_hashes_are_used(tmp_path: Path, ranks: Ranks) -> None:
    _, last = save_two(tmp_path, ranks)
    age(last)
    assert find_resumable(tmp_path).folder == last


@pytest.mark.parametrize("name", ["meta.json", ".metadata", "__0_0.distcp"])
@pytest.mark.parametrize("spoil", [cut, empty, Path.unlink])
def test_without_hashes_too_a_cut_file_is_found(
    tmp_path: Path, ranks: Ranks, name: str, spoil: Callable[[Path], None]
) -> None:
    first, last = save_two(tmp_path, ranks)
    age(last)
    spoil(last / name)
    assert find_resumable(tmp_path).folder == first


def test_a_checkpoint_of_a_later_version_is_refused(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    described = json.loads((folder / "meta.json").read_text())
    (folder / "meta.json").write_text(json.dumps(described | {"format_version": 99}))
    with pytest.raises(InputError, match=r"meta\.json of format version 1 to 2"):
        read_meta(folder)


def test_hashes_are_as_sha256sum_writes_them(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    program = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(program, cwd=folder, check=False, capture_output=True).returncode == 0


def entry(*size: int) -> TensorStorageMetadata:
    sizes = torch.Size(size)
    chunk = ChunkStorageMetadata(torch.Size([0] * len(size)), sizes)
    return TensorStorageMetadata(TensorProperties(dtype=torch.float32), sizes, [chunk])


def place(name: str, file: str, length: int) -> dict[MetadataIndex, object]:
    return {MetadataIndex(name, torch.Size([0])): _StorageInfo(file, 0, length)}


@pytest.mark.parametrize(
    ("index", "complaint"),
    [
        (Metadata({"a": entry(1 << 40)}, None, place("a", "data", 8)), "needs 4398046511104 bytes"),
        (Metadata({"a": entry(2)}, None, place("a", "data", 99)), "ends behind byte 8 of data"),
        (Metadata({"a": entry(2)}, None, place("a", "../data", 8)), "outside, ../data"),
        (Metadata({"a": entry(2)}, None, {}), "has no place"),
        (Metadata({"a": cast("Any", 7)}, None, {}), "no usable shape of 'a'"),
        (Metadata({"a": entry(-2)}, None, place("a", "data", 8)), "no usable shape of 'a'"),
        (Metadata(cast("Any", 7), None, {}), "no table of tensors"),
        (object.__new__(Metadata), "no table of tensors"),
        (7, "a int"),
    ],
)
def test_a_nonsensical_index_is_refused_before_memory_is_reserved(
    tmp_path: Path, index: object, complaint: str
) -> None:
    (tmp_path / "data").write_bytes(bytes(8))
    (tmp_path / ".metadata").write_bytes(pickle.dumps(index))
    with pytest.raises(InputError, match=complaint):
        read_tensors(tmp_path, "")


def test_weights_of_a_checkpoint_are_verified_before_use(tmp_path: Path, ranks: Ranks) -> None:
    folder = save_checkpoint(tmp_path, state(), meta(3), ranks)
    flip(folder / "__0_0.distcp")
    with pytest.raises(InputError, match=r"__0_0\.distcp: other bytes than were written"):
        verify_files(folder)
