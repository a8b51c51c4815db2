"""Checkpoints made hostile: a training that goes on from them, and weights that are given to it."""

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.mesh_cases import Write, data, link_to, make_fifo, sparse, text
from tests.hostile.mutations import mutate

Spoil = Callable[[Path], None]
Call = tuple[str, list[str]]

OPTIONS = {
    "nets": "coarse", "width": 0.02, "val_split": ["train"], "save_every": 1, "workers": 1,
    "picture_every": 100, "keep": 3, "device": "cpu",
}  # fmt: skip
FIRST_STEPS, ALL_STEPS = 2, 3
LAST = "checkpoints/step-00000002"


def request(dataset: Path, out: Path, steps: int, **more: object) -> list[str]:
    """Write the training program's arguments."""
    asked = {
        "stage": "2k2k-normal", "data": [str(dataset)], "out": str(out), "steps": steps,
        **OPTIONS, **more,
    }  # fmt: skip
    return ["--request", json.dumps(asked)]


class _Opens:
    """Asks an unpickler to open a file: seen when it was done."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (f"opened-by-{os.getpid()}", "w")


FOREIGN = pickle.dumps(_Opens())
DEEP = "[" * 100_000
HUGE_PICKLE = b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x"
SAFETENSORS_HEADER = json.dumps(
    {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
).encode()


def _replace(name: str, write: Write) -> Spoil:
    def spoil(run: Path) -> None:
        path = run / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        write(path)

    return spoil


def _mutate(name: str, seed: int) -> Spoil:
    def spoil(run: Path) -> None:
        path = run / name
        path.write_bytes(mutate(path.read_bytes(), seed))

    return spoil


def _cut(name: str, keep: float) -> Spoil:
    def spoil(run: Path) -> None:
        path = run / name
        os.truncate(path, int(path.stat().st_size * keep))

    return spoil


def _flip(name: str, place: float) -> Spoil:
    def spoil(run: Path) -> None:
        content = bytearray((run / name).read_bytes())
        content[int(len(content) * place)] ^= 64
        (run / name).write_bytes(content)

    return spoil


def _remove(name: str) -> Spoil:
    def spoil(run: Path) -> None:
        path = run / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


INDEX, TENSORS, META = f"{LAST}/.metadata", f"{LAST}/__0_0.distcp", f"{LAST}/meta.json"
BROKEN_RUNS: dict[str, Spoil] = {
    "index-empty": _replace(INDEX, data(b"")),
    "index-cut": _cut(INDEX, 0.5),
    "index-foreign": _replace(INDEX, data(FOREIGN)),
    "index-of-a-terabyte": _replace(INDEX, data(HUGE_PICKLE)),
    "index-of-words": _replace(INDEX, text("words")),
    "index-a-number": _replace(INDEX, data(pickle.dumps(7))),
    "index-fifo": _replace(INDEX, make_fifo),
    "index-endless": _replace(INDEX, link_to("/dev/zero")),
    "index-sparse": _replace(INDEX, sparse(b"\x80\x04", 3 << 30)),
    "index-missing": _remove(INDEX),
    **{f"index-mutated-{n}": _mutate(INDEX, n) for n in range(6)},
    "tensors-empty": _replace(TENSORS, data(b"")),
    "tensors-cut": _cut(TENSORS, 0.5),
    "tensors-missing": _remove(TENSORS),
    "tensors-fifo": _replace(TENSORS, make_fifo),
    **{f"tensors-flipped-{n}": _flip(TENSORS, n / 5 + 0.07) for n in range(5)},
    "meta-empty": _replace(META, data(b"")),
    "meta-cut": _cut(META, 0.5),
    "meta-array": _replace(META, text("[]")),
    "meta-deep": _replace(META, text(DEEP)),
    "meta-huge-number": _replace(META, text('{"step": ' + "9" * 5000 + "}")),
    "meta-not-utf-8": _replace(META, data(b'{"step": "\xff"}')),
    "meta-fifo": _replace(META, make_fifo),
    "meta-sparse": _replace(META, sparse(b"{", 3 << 30)),
    "meta-missing": _remove(META),
    "step-empty": _replace(LAST, lambda path: path.mkdir()),
    "step-a-file": _replace(LAST, text("words")),
    "latest-empty": _replace("latest", text("")),
    "latest-words": _replace("latest", text("words and words\n")),
    "latest-elsewhere": _replace("latest", text("../../../../etc\n")),
    "latest-nul": _replace("latest", data(b"step\0\n")),
    "latest-not-utf-8": _replace("latest", data(b"\xff\xfe\n")),
    "latest-long": _replace("latest", text("x" * 100_000)),
    "latest-fifo": _replace("latest", make_fifo),
    "latest-folder": _replace("latest", lambda path: path.mkdir()),
    "latest-missing": _remove("latest"),
    "best-words": _replace("best", text("words\n")),
    "metrics-garbage": _replace("metrics.jsonl", data(bytes(range(256)))),
    "metrics-cut": _cut("metrics.jsonl", 0.6),
    "metrics-deep": _replace("metrics.jsonl", text(DEEP + "\n")),
    "metrics-fifo": _replace("metrics.jsonl", make_fifo),
    "run-record-empty": _replace("run.json", text("")),
    "run-record-deep": _replace("run.json", text(DEEP)),
    "run-record-array": _replace("run.json", text("[]")),
}
"""What is done to a run of two steps before it is asked for a third."""

BROKEN_WEIGHTS: dict[str, Write] = {
    "empty.safetensors": data(b""),
    "words.safetensors": text("words"),
    "header-of-a-terabyte.safetensors": data(struct.pack("<Q", 1 << 40) + b"{}"),
    "tensor-of-a-terabyte.safetensors": data(
        struct.pack("<Q", len(SAFETENSORS_HEADER)) + SAFETENSORS_HEADER
    ),
    "deep.safetensors": data(struct.pack("<Q", len(DEEP)) + DEEP.encode()),
    "sparse.safetensors": sparse(struct.pack("<Q", 2) + b"{}", 3 << 30),
    "fifo.safetensors": make_fifo,
    "empty.pth": data(b""),
    "words.pth": text("words"),
    "foreign.pth": data(FOREIGN),
    "zip-of-nothing.pth": data(b"PK\x05\x06" + b"\0" * 18),
    "zip-cut.pth": data(b"PK\x03\x04" + b"\0" * 40),
    "sparse.pth": sparse(b"PK\x03\x04", 3 << 30),
    "endless.pth": link_to("/dev/zero"),
    "fifo.pth": make_fifo,
    "loop.pth": link_to("loop.pth"),
    "empty-folder": lambda path: path.mkdir(),
}
"""What is given as --init."""


def broken_runs(folder: Path, whole: Path, dataset: Path) -> Iterator[Call]:
    """Copy a whole run for every case and spoil the copy; yields the training that goes on."""
    for name, spoil in {"whole": lambda _: None, **BROKEN_RUNS}.items():
        run = folder / name
        shutil.copytree(whole, run)
        spoil(run)
        yield name, request(dataset, run, ALL_STEPS)


def broken_weights(folder: Path, dataset: Path) -> Iterator[Call]:
    """Write a file for every case; yields the training that begins from it."""
    for name, write in BROKEN_WEIGHTS.items():
        write(folder / name)
        out = folder / f"run-from-{name}"
        yield name, request(dataset, out, 1, init=str(folder / name))
