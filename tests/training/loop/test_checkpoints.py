import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemWriter
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.errors import InputError
from training.loop import checkpoints
from training.loop.checkpoints import (
    BEST,
    LATEST,
    CheckpointMeta,
    load_state,
    named_by,
    point,
    prune,
    read_meta,
    read_tensors,
    save_checkpoint,
    step_name,
)
from training.loop.distributed import Ranks, join_ranks


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
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, state(), meta(4), ranks)
    assert not (tmp_path / "checkpoints" / step_name(4)).exists()
    assert named_by(tmp_path, LATEST) == before


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
