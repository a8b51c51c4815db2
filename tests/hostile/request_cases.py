"""Hostile requests: configuration files, splits, lists of backgrounds."""

from collections.abc import Iterator
from pathlib import Path

from tests.hostile.mesh_cases import Write, data, link_to, make_fifo, sparse, text

LAUGHS = "a0: &a0 [lol, lol]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
)
CONFIGURATIONS: dict[str, Write] = {
    "empty": text(""),
    "a-word": text("render"),
    "a-list": text("- a\n- b\n"),
    "a-number": text("7"),
    "billion-laughs": text(LAUGHS),
    "billion-laughs-in-a-value": text(LAUGHS + "yaws: *a39\n"),
    "merge-keys": text("a: &a {x: 1}\n" + "b: {<<: [" + "*a, " * 20_000 + "*a]}\n"),
    "an-anchor-in-itself": text("a: &a [*a]\nyaws: *a\n"),
    "deep": text("a: " + "[" * 100_000),
    "deep-closed": text("a: " + "[" * 3_000 + "]" * 3_000),
    "deep-mappings": text("".join(f"{' ' * n}a:\n" for n in range(2_000))),
    "integer-of-100000-digits": text("resolution: " + "9" * 100_000 + "\n"),
    "infinite-resolution": text("resolution: .inf\n"),
    "nan-resolution": text("resolution: .nan\n"),
    "negative-resolution": text("resolution: -128\n"),
    "huge-resolution": text("resolution: 1000000000\n"),
    "a-resolution-of-words": text("resolution: [a, b]\n"),
    "infinite-yaw": text("yaws: [.inf]\n"),
    "a-billion-yaws": text("yaws: 0:1000000000:1\n"),
    "step-of-0": text("yaws: 0:10:0\n"),
    "step-of-nothing": text("yaws: 0:10:1e-300\n"),
    "seed-of-words": text("seed: many\n"),
    "seed-beyond-64-bits": text("seed: 99999999999999999999999\n"),
    "negative-workers": text("workers: -3\n"),
    "mistyped": text("resolutoin: 128\n"),
    "key-is-a-list": text("? [a, b]\n: 1\n"),
    "key-is-a-number": text("1: 2\n"),
    "key-twice": text("resolution: 128\nresolution: 256\n"),
    "a-python-object": text("!!python/object/apply:os.system ['touch opened-by-yaml']\n"),
    "a-python-name": text("data: !!python/name:os.system\n"),
    "unknown-tag": text("data: !secret x\n"),
    "a-date": text("data: 2026-01-01\n"),
    "a-date-that-is-none": text("data: 2026-13-77\n"),
    "binary": text("data: !!binary AAAA\n"),
    "tabs": text("a:\n\t- b\n"),
    "two-documents": text("a: 1\n---\nb: 2\n"),
    "nul-bytes": data(b"\0" * 64),
    "invalid-utf-8": data(b"data: \xff\xfe\n"),
    "utf-16": data("data: x\n".encode("utf-16")),
    "surrogate": text('data: "\\ud800"\n'),
    "a-path-of-nul": text('data: "a\\0b"\n'),
    "a-path-of-100000": text("data: " + "a" * 100_000 + "\n"),
    "10-mb-of-comments": text("# a comment\n" * 900_000),
    "sparse-giant": sparse(b"data: x\n", 3 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    "link-to-itself": lambda path: path.symlink_to(path),
}
LISTS: dict[str, Write] = {
    "empty": text(""),
    "nul-bytes": data(b"\0" * 400),
    "invalid-utf-8": data(b"item,subject,split\n\xff,\xfe,train\n"),
    "unknown-column": text("item,subject,split,colour\na,b,train,red\n"),
    "unknown-split": text("item,subject,split\na,b,practice\n"),
    "unknown-item": text("item,subject,split\nnobody,,train\n"),
    "too-many-cells": text("item,subject,split\na,b,train,1,2,3\n"),
    "an-open-quote": text('item,subject,split\n"a,b,train\n'),
    "long-cell": text("item,subject,split\n" + "a" * 3_000_000 + ",b,train\n"),
    "path-outside": text("../../../../etc/passwd\n/etc/passwd\n"),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    "sparse-giant": sparse(b"item,subject,split\n", 3 << 30),
    "missing": lambda _: None,
}


def configuration_calls(folder: Path, people: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and the command of each configuration; none may get as far as any work."""
    for name, write in CONFIGURATIONS.items():
        path = folder / f"{name}.yaml"
        write(path)
        yield name, ["render", "--config", str(path), "--data", str(people / "none"),
                     "--dataset", "RP", "--out", str(folder / "out")]  # fmt: skip


def list_calls(folder: Path, people: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield a name and the command of each splits file and each list of backgrounds."""
    for option in ("--splits", "--background-list"):
        for name, write in LISTS.items():
            path = folder / f"{option[2:]}-{name}"
            write(path)
            yield path.name, [
                "render", option, str(path), "--data", str(people), "--dataset", "RP",
                "--out", str(folder / f"out-{path.name}"), "--backgrounds", str(people / "rooms"),
                "--resolution", "64", "--yaws", "0", "--workers", "1",
            ]  # fmt: skip
