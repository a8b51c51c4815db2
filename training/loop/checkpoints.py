"""Checkpoints: whole or absent, verified before use, the last few and the best kept.

    OUT/checkpoints/step-00001000/    written as .tmp-step-00001000, flushed, renamed
        .metadata, __0_0.distcp ...   torch.distributed.checkpoint; nothing but tensors
        meta.json                     format version, step, what the run remembers
        SHA256SUMS                    of every other file, as `sha256sum` writes it
    OUT/latest, OUT/best              the name of one step folder, replaced atomically

Format version 1 had no SHA256SUMS: such a folder is verified by reading all of its tensors.
Reading runs nothing that an untrusted folder holds: see `checkpoint_index`.
"""

import errno
import hashlib
import os
import re
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from schemas.atomic_files import flush_folder, storage_errors, write_atomically
from schemas.errors import InputError, MachineError
from schemas.file_status import measure_file
from schemas.regular_files import open_regular_file, read_whole
from schemas.wording import shorten_text
from training.loop.checkpoint_index import MAX_INDEX_BYTES, TensorsOnlyReader, stored_tensors
from training.loop.distributed import Ranks

FORMAT_VERSION = 2
HASHED_SINCE = 2
LATEST, BEST = "latest", "best"
FOLDER, META_FILE, HASH_FILE = "checkpoints", "meta.json", "SHA256SUMS"
TENSOR_SUFFIX = ".distcp"
MAX_SMALL_FILE_BYTES = 1 << 20
"""Of meta.json, SHA256SUMS and the pointers; more is not read."""

MIN_FREE_BYTES = 1 << 20
"""A disk that has less left when a write fails counts as full."""

_STEP_NAME = re.compile(r"^step-\d{8,}$")
_HASH_LINE = re.compile(r"^([0-9a-f]{64})  ([^/\n]+)$", re.MULTILINE)


class CheckpointMeta(BaseModel):
    """meta.json: what a run remembers besides tensors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = Field(default=FORMAT_VERSION, ge=1, le=FORMAT_VERSION)
    step: int = Field(ge=0)
    batches: int = Field(ge=0)
    best_loss: float | None = None
    world: int = Field(ge=1)
    bad_samples: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Resumable:
    """Where a run goes on. folder: None at its beginning. broken: why newer ones are not used."""

    folder: Path | None
    step: int
    broken: tuple[str, ...]


def save_checkpoint(
    out: Path, state: Mapping[str, Tensor], meta: CheckpointMeta, ranks: Ranks
) -> Path:
    """Write a step folder from all ranks and let OUT/latest name it; returns the folder.

    state: tensors by name; the same on all ranks but for names that hold the rank.
    Raises StorageError when the disk is full, MachineError when writing fails otherwise; then
    nothing of the step is left.
    """
    final = out / FOLDER / step_name(meta.step)
    temporary = final.parent / f".tmp-{final.name}"
    ranks.by_first(partial(_begin, temporary))
    writer = FileSystemWriter(temporary, sync_files=True)
    try:
        save(dict(state), storage_writer=writer, process_group=ranks.control)
    except CheckpointException as error:
        needed = sum(value.nbytes for value in state.values())
        ranks.by_first(partial(_give_up, temporary, final, needed, _first_failure(error)))
    ranks.by_first(partial(_commit, temporary, final, meta))
    return final


def load_state(folder: Path, state: dict[str, Tensor], group: dist.ProcessGroup | None) -> None:
    """Fill these tensors, in place, from a step folder; group None: this process alone.

    Raises InputError when the folder lacks one of them, holds another shape, or can't be read.
    """
    reader = TensorsOnlyReader(folder)
    try:
        with warnings.catch_warnings():
            # torch warns that it works in a single process, which is what was asked for.
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            load(state, storage_reader=reader, process_group=group, no_dist=group is None)
    except CheckpointException as error:
        cause = _first_failure(error)
        if isinstance(cause, InputError):
            raise cause from error
        raise InputError(
            str(folder), found=shorten_text(f"{type(cause).__name__}: {cause}"),
            expected="every tensor of this run, whole",
            hint="Remove the folder, or start from another checkpoint.",
        ) from error  # fmt: skip


def read_meta(folder: Path) -> CheckpointMeta:
    """Read meta.json of a step folder; raises InputError when it is missing or of another form."""
    path = folder / META_FILE
    if not path.exists():
        raise _undescribed(path)
    try:
        return CheckpointMeta.model_validate_json(read_whole(path, MAX_SMALL_FILE_BYTES))
    except ValueError as error:
        raise _undescribed(path) from error


def read_tensors(folder: Path, prefix: str) -> dict[str, Tensor]:
    """Read all tensors of a step folder whose name has a prefix, the prefix removed."""
    state = {
        name: torch.empty(entry.size, dtype=entry.properties.dtype)
        for name, entry in stored_tensors(folder).items()
        if name.startswith(prefix)
    }
    load_state(folder, state, None)
    return {name.removeprefix(prefix): value for name, value in state.items()}


def verify_files(folder: Path) -> None:
    """Compare every file of a step folder with its hash; without hashes read all tensors.

    Raises InputError naming the file that differs, is missing or can't be read.
    """
    path = folder / HASH_FILE
    if not path.exists():
        if (folder / META_FILE).exists() and read_meta(folder).format_version >= HASHED_SINCE:
            raise _damaged(path, "no such file")
        read_tensors(folder, "")
        return
    text = read_whole(path, MAX_SMALL_FILE_BYTES).decode(errors="replace")
    digests = {name: digest for digest, name in _HASH_LINE.findall(text)}
    if META_FILE not in digests or len(digests) != text.count("\n"):
        raise _damaged(path, "other lines than were written")
    for name, digest in digests.items():
        path = folder / name
        if path.suffix != TENSOR_SUFFIX and (measure_file(path) or 0) > MAX_INDEX_BYTES:
            raise _damaged(path, f"more than {MAX_INDEX_BYTES} bytes")
        if _sha256(path) != digest:
            raise _damaged(path, "other bytes than were written")


def find_resumable(out: Path) -> Resumable:
    """Find the step folder that OUT/latest names, or, where that is broken, the one before it.

    Every byte is verified. Raises InputError when there are step folders and none is whole.
    """
    broken: list[str] = []
    newest = ""
    for folder in _newest_first(out):
        try:
            verify_files(folder)
            return Resumable(folder, read_meta(folder).step, tuple(broken))
        except InputError as error:
            broken.append(f"checkpoint {folder.name} is broken and not used: {error}")
            newest = newest or f"{folder.name}/{Path(error.thing).name}: {error.found}"
    if broken:
        raise InputError(
            str(out / FOLDER), found=f"no whole checkpoint; the newest, {newest}",
            expected="one step folder as it was written",
            hint="Copy a whole step folder back, or train into another folder.",
        )  # fmt: skip
    return Resumable(None, 0, ())


def point(out: Path, pointer: str, name: str) -> None:
    """Let OUT/latest or OUT/best name a step folder."""
    if (out / pointer).is_dir():
        _remove(out / pointer)
    write_atomically(out / pointer, name + "\n")


def named_by(out: Path, pointer: str) -> Path | None:
    """Return the folder that OUT/latest or OUT/best names; None where it names none."""
    try:
        name = read_whole(out / pointer, MAX_SMALL_FILE_BYTES).decode(errors="replace").strip()
    except InputError:
        return None
    folder = out / FOLDER / name
    return folder if _STEP_NAME.match(name) and folder.is_dir() else None


def prune(out: Path, keep: int) -> None:
    """Remove all but the last `keep` step folders, the latest and the best."""
    folders = sorted((out / FOLDER).glob("step-*"))
    kept = {*folders[-keep:], named_by(out, LATEST), named_by(out, BEST)}
    for folder in folders:
        if folder not in kept:
            _remove(folder)


def step_name(step: int) -> str:
    """Return the name of a step's folder."""
    return f"step-{step:08d}"


def _newest_first(out: Path) -> list[Path]:
    """List the step folders up to the one that OUT/latest names; all where it names none."""
    folders = sorted(path for path in (out / FOLDER).glob("step-*") if _STEP_NAME.match(path.name))
    latest = named_by(out, LATEST)
    return [folder for folder in reversed(folders) if latest is None or folder <= latest]


def _begin(temporary: Path) -> None:
    """Make an empty folder to write to; what killed runs left is removed."""
    with storage_errors(temporary):
        temporary.parent.mkdir(parents=True, exist_ok=True)
        for left in temporary.parent.glob(".tmp-step-*"):
            _remove(left)
        temporary.mkdir()


def _commit(temporary: Path, final: Path, meta: CheckpointMeta) -> None:
    """Describe and hash what was written, give it its name, and let OUT/latest name it."""
    try:
        with storage_errors(final):
            write_atomically(temporary / META_FILE, meta.model_dump_json(indent=1))
            files = sorted(path for path in temporary.iterdir())
            sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in files)
            write_atomically(temporary / HASH_FILE, sums)
            _remove(final)
            temporary.rename(final)
            flush_folder(final.parent)
            point(final.parents[1], LATEST, final.name)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _give_up(temporary: Path, final: Path, needed: int, cause: BaseException) -> None:
    """Remove what was written of a step, and raise why it is not all; needed: bytes.

    torch hides the OSError of a full disk behind its own error, so the disk is asked.
    """
    is_full = shutil.disk_usage(temporary).free < MIN_FREE_BYTES
    shutil.rmtree(temporary, ignore_errors=True)
    with storage_errors(final):
        if isinstance(cause, OSError):
            raise cause
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with temporary.open("xb") as file:
            temporary.unlink()
            os.posix_fallocate(file.fileno(), 0, max(1, needed))
    raise MachineError(
        str(final), found=shorten_text(f"{type(cause).__name__}: {cause}"),
        expected="a written checkpoint",
        hint="Fix the cause; the same command goes on from the checkpoint before.",
    )  # fmt: skip


def _first_failure(error: CheckpointException) -> BaseException:
    return next(iter(error.failures.values()))[0] if error.failures else error


def _remove(path: Path) -> None:
    """Remove a step folder, or whatever has its name."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with open_regular_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _undescribed(path: Path) -> InputError:
    return InputError(
        str(path), found="no readable checkpoint description",
        expected=f"meta.json of format version 1 to {FORMAT_VERSION}",
        hint="Use another step folder, or train again with the version that wrote this one.",
    )  # fmt: skip


def _damaged(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found, expected=f"the file that {HASH_FILE} describes",
        hint="Use another checkpoint; the disk or the copy may be at fault.",
    )  # fmt: skip
