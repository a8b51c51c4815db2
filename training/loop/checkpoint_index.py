"""The index of a checkpoint, read as untrusted input: tensors only, every size checked.

torch.distributed.checkpoint pickles its index (`.metadata`). Here only the classes that an index
of tensors is made of are looked up, so a foreign file runs nothing; then every shape, offset and
length is checked against the files beside it, before memory is reserved for anything.
"""

import io
import math
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.distributed.checkpoint.filesystem import FileSystemReader
from torch.distributed.checkpoint.metadata import (
    Metadata,
    MetadataIndex,
    StorageMeta,
    TensorStorageMetadata,
)

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.wording import shorten_text

INDEX_FILE = ".metadata"
MAX_INDEX_BYTES = 64 << 20
"""The index of the widest model here has 0.4 MB."""

PICKLE_FAILURES = (
    pickle.UnpicklingError, ArithmeticError, AssertionError, AttributeError, EOFError, ImportError,
    LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What reading an untrusted pickle may raise: its instructions call constructors with anything."""

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


class TensorsOnlyReader(FileSystemReader):
    """Read a checkpoint whose index is allowed to name tensors and nothing else."""

    def read_metadata(self, *args: Any, **kwargs: Any) -> Metadata:  # noqa: ANN401 - torch's own
        """Return the checked index; raises InputError."""
        del args, kwargs
        index = read_index(Path(self.path))
        index.storage_meta = StorageMeta(load_id=self.load_id)
        return index


def read_index(folder: Path) -> Metadata:
    """Read and check the index of a step folder; no tensor is read.

    Raises InputError when it is missing, cut, names anything but tensors, or does not fit the
    files beside it.
    """
    path = folder / INDEX_FILE
    data = read_whole(path, MAX_INDEX_BYTES)
    try:
        index = _TensorIndex(io.BytesIO(data)).load()
    except PICKLE_FAILURES as error:
        raise _unreadable(path, shorten_text(str(error))) from error
    if not isinstance(index, Metadata):
        raise _unreadable(path, f"a {type(index).__name__}")
    problem = _find_problem(index, folder)
    if problem:
        raise _unreadable(path, problem)
    return index


def stored_tensors(folder: Path) -> dict[str, TensorStorageMetadata]:
    """Return shape and type of every tensor of a step folder by name; raises InputError."""
    entries = read_index(folder).state_dict_metadata
    return {
        name: entry for name, entry in entries.items() if isinstance(entry, TensorStorageMetadata)
    }


class _TensorIndex(pickle._Unpickler):  # noqa: SLF001 - the public one is the C one, see below
    """Look up only the classes that an index of tensors is made of.

    Python's own machine, because its memo is a dictionary: that of the C one is an array, for which
    eight bytes of pickle (LONG_BINPUT with a large number) reserve and fill gigabytes.
    """

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as in pickle
        if name in _MAY_BE_NAMED.get(module, ()):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"names {module}.{name}")


def _find_problem(index: Metadata, folder: Path) -> str | None:
    """Say what is wrong with an index; its objects may hold anything, or lack every field."""
    tensors = getattr(index, "state_dict_metadata", None)
    places = getattr(index, "storage_data", None)
    if not isinstance(tensors, dict) or not isinstance(places, dict):
        return "no table of tensors"
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    for name, entry in tensors.items():
        if not _is_whole_tensor(entry):
            return f"no usable shape of {name!r}"
        info = places.get(MetadataIndex(name, torch.Size([0] * len(entry.size))))
        problem = _find_misplaced(info, entry, files)
        if problem:
            return f"{name!r} {problem}"
    return None


def _is_whole_tensor(entry: object) -> bool:
    """Say whether an entry has a type, a shape, and one piece that is all of it."""
    size, chunks = getattr(entry, "size", None), getattr(entry, "chunks", None)
    dtype = getattr(getattr(entry, "properties", None), "dtype", None)
    if not isinstance(dtype, torch.dtype) or not isinstance(size, torch.Size):
        return False
    return (
        all(side >= 0 for side in size)
        and isinstance(chunks, list)
        and [(getattr(chunk, "sizes", None), getattr(chunk, "offsets", None)) for chunk in chunks]
        == [(size, torch.Size([0] * len(size)))]
    )


def _find_misplaced(
    info: object, entry: TensorStorageMetadata, files: Mapping[str, int]
) -> str | None:
    """Say why a tensor can't be where the index says; files: bytes by name."""
    name, first = getattr(info, "relative_path", None), getattr(info, "offset", None)
    length = getattr(info, "length", None)
    if not isinstance(name, str) or not isinstance(first, int) or not isinstance(length, int):
        return "has no place"
    if name not in files:
        return f"is in a file that is missing or outside, {name}"
    if not 0 <= first <= first + length <= files[name]:
        return f"ends behind byte {files[name]} of {name}, which is cut"
    needed = math.prod(entry.size) * entry.properties.dtype.itemsize
    return f"needs {needed} bytes and has {length}" if needed > length else None


def _unreadable(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found or "cut or empty", expected="the index of a checkpoint of tensors",
        hint="Use a checkpoint written by scanmill, or a safetensors file.",
    )  # fmt: skip
