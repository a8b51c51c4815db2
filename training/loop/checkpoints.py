"""Checkpoints: whole or absent, pickle-free to read, the last few and the best kept.

    OUT/checkpoints/step-00001000/    written as .tmp-step-00001000, flushed, renamed
        .metadata, __0_0.distcp ...   torch.distributed.checkpoint; nothing but tensors
        meta.json                     format version, step, what the run remembers
    OUT/latest, OUT/best              the name of one step folder, replaced atomically

Reading runs nothing that a foreign folder holds: its index may name tensors only.
"""

import io
import os
import pickle
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import Metadata, StorageMeta, TensorStorageMetadata
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.dataset_folder import write_atomically
from schemas.errors import InputError
from training.loop.distributed import Ranks

FORMAT_VERSION = 1
LATEST, BEST = "latest", "best"
FOLDER = "checkpoints"

_MAY_BE_NAMED = {
    "torch.distributed.checkpoint.metadata": {
        "Metadata", "TensorStorageMetadata", "TensorProperties", "ChunkStorageMetadata",
        "MetadataIndex", "StorageMeta", "_MEM_FORMAT_ENCODING",
    },
    "torch.distributed.checkpoint.filesystem": {"_StorageInfo"},
    "torch.serialization": {"_get_layout"},
    "torch": {"Size", "float32", "float64", "bfloat16", "float16", "int64", "int32", "uint8"},
    "pathlib": {"PosixPath", "PurePosixPath", "WindowsPath"},
}  # fmt: skip
"""What the index of a checkpoint of tensors is made of; nothing else is looked up."""


class CheckpointMeta(BaseModel):
    """meta.json: what a run remembers besides tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    step: int
    batches: int
    best_loss: float | None = None
    world: int
    bad_samples: int = 0


def save_checkpoint(
    out: Path, state: Mapping[str, Tensor], meta: CheckpointMeta, ranks: Ranks
) -> Path:
    """Write a step folder from all ranks and let OUT/latest name it; returns the folder.

    state: tensors by name; the same on all ranks but for names that hold the rank.
    """
    final = out / FOLDER / step_name(meta.step)
    temporary = final.parent / f".tmp-{final.name}"
    if ranks.is_first:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    ranks.barrier()
    writer = FileSystemWriter(temporary, sync_files=True)
    save(dict(state), storage_writer=writer, process_group=ranks.control)
    if ranks.is_first:
        write_atomically(temporary / "meta.json", meta.model_dump_json(indent=1))
        shutil.rmtree(final, ignore_errors=True)
        temporary.rename(final)
        _flush(final.parent)
        point(out, LATEST, final.name)
    ranks.barrier()
    return final


def load_state(folder: Path, state: dict[str, Tensor], group: dist.ProcessGroup | None) -> None:
    """Fill these tensors, in place, from a step folder; group None: this process alone."""
    reader = TensorsOnlyReader(folder)
    with warnings.catch_warnings():
        # torch warns that it works in a single process, which is what was asked for.
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        load(state, storage_reader=reader, process_group=group, no_dist=group is None)


def read_meta(folder: Path) -> CheckpointMeta:
    """Read meta.json of a step folder; raises InputError when it is missing or of another form."""
    path = folder / "meta.json"
    try:
        return CheckpointMeta.model_validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            str(path), found="no readable checkpoint description",
            expected=f"meta.json of format version {FORMAT_VERSION}",
            hint="Remove the step folder, let OUT/latest name an older one, and start again.",
        ) from error  # fmt: skip


def stored_tensors(folder: Path) -> dict[str, TensorStorageMetadata]:
    """Return what tensors a step folder holds, by name, without reading them."""
    found = TensorsOnlyReader(folder).read_metadata().state_dict_metadata
    return {
        name: entry for name, entry in found.items() if isinstance(entry, TensorStorageMetadata)
    }


def read_tensors(folder: Path, prefix: str) -> dict[str, Tensor]:
    """Read all tensors of a step folder whose name has a prefix, the prefix removed."""
    expected = {
        name: torch.empty(entry.size, dtype=entry.properties.dtype)
        for name, entry in stored_tensors(folder).items()
        if name.startswith(prefix)
    }
    load_state(folder, expected, None)
    return {name.removeprefix(prefix): value for name, value in expected.items()}


def point(out: Path, pointer: str, name: str) -> None:
    """Let OUT/latest or OUT/best name a step folder."""
    write_atomically(out / pointer, name + "\n")


def named_by(out: Path, pointer: str) -> Path | None:
    """Return the folder that OUT/latest or OUT/best names, if it is there."""
    path = out / pointer
    if not path.is_file():
        return None
    folder = out / FOLDER / path.read_text().strip()
    return folder if folder.is_dir() else None


def prune(out: Path, keep: int) -> None:
    """Remove all but the last `keep` step folders, the latest and the best."""
    folders = sorted((out / FOLDER).glob("step-*"))
    kept = {*folders[-keep:], named_by(out, LATEST), named_by(out, BEST)}
    for folder in folders:
        if folder not in kept:
            shutil.rmtree(folder)


def step_name(step: int) -> str:
    """Return the name of a step's folder."""
    return f"step-{step:08d}"


class TensorsOnlyReader(FileSystemReader):
    """Read a checkpoint whose index is allowed to name tensors and nothing else."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:  # noqa: ANN401 - torch's own
        """Read the index; raises InputError when it names anything but tensors and their files."""
        del args, kwargs
        path = Path(self.path) / ".metadata"
        try:
            index = _TensorIndex(io.BytesIO(path.read_bytes())).load()
        except (OSError, pickle.UnpicklingError, EOFError, AttributeError) as error:
            raise _unreadable(path, str(error)) from error
        if not isinstance(index, Metadata) or not isinstance(index.storage_data, dict):
            raise _unreadable(path, f"a {type(index).__name__}")
        for entry in index.storage_data.values():
            if Path(entry.relative_path).name != entry.relative_path:
                raise _unreadable(path, f"a file outside of it, {entry.relative_path}")
        index.storage_meta = StorageMeta(load_id=self.load_id)
        return index


class _TensorIndex(pickle.Unpickler):
    """Look up only the classes that an index of tensors is made of."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as in pickle
        if name in _MAY_BE_NAMED.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"names {module}.{name}")


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found or "cut or empty", expected="the index of a checkpoint of tensors",
        hint="Use a checkpoint written by scanmill, or a safetensors file.",
    )  # fmt: skip


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
