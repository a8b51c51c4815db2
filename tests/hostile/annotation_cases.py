"""Hostile annotations: Joint3D files of RenderPeople scans, SMPL-X fits of THuman2.0 scans."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.hostile.mesh_cases import Write, data, link_to, make_fifo, sparse, text
from tests.hostile.mutations import mutate
from tests.tasks.fits.fit_pickles import Opener, fit_arrays, write_release_a
from tests.tasks.scan_folders import JOINT_COUNT, write_joints, write_scan, write_thuman_scan

MUTATED_JOINTS, MUTATED_FITS = 18, 18
Array = np.ndarray


def _joints(positions: object, visible: object) -> Write:
    return text(json.dumps({"joint3d": positions, "visible": visible}))


PLACES = [[0.0, 100.0, 0.0]] * JOINT_COUNT
FLAGS = [1] * JOINT_COUNT
JOINTS: dict[str, Write] = {
    "empty": text(""),
    "no-json": text("joint3d: 1"),
    "null": text("null"),
    "list": text("[]"),
    "number": text("7"),
    "no-keys": text("{}"),
    "deep": text("[" * 200_000),
    "deep-closed": text("[" * 50_000 + "]" * 50_000),
    "deep-objects": text('{"a":' * 50_000 + "1" + "}" * 50_000),
    "huge-integer": text('{"joint3d": [[' + "9" * 100_000 + ', 1, 1]], "visible": [1]}'),
    "words": _joints([["a", "b", "c"]] * JOINT_COUNT, FLAGS),
    "ragged": _joints([*PLACES[:-1], [1, 2]], FLAGS),
    "too-few": _joints(PLACES[:5], FLAGS[:5]),
    "flags-too-few": _joints(PLACES, FLAGS[:3]),
    "flags-of-seven": _joints(PLACES, [7] * JOINT_COUNT),
    "none-visible": _joints(PLACES, [0] * JOINT_COUNT),
    "nan": text(json.dumps({"joint3d": [[float("nan")] * 3] * JOINT_COUNT, "visible": FLAGS})),
    "infinite": text(json.dumps({"joint3d": [[float("inf")] * 3] * JOINT_COUNT, "visible": FLAGS})),
    "overflow": text('{"joint3d": ' + str([[1] * 3] * JOINT_COUNT).replace("1", "1e999")
                     + f', "visible": {FLAGS}}}'),
    "one-far-joint": _joints([*PLACES[:-1], [0, 9e9, 0]], FLAGS),
    "all-in-one-point": _joints([[0.0, 0.0, 0.0]] * JOINT_COUNT, FLAGS),
    "utf-16": data(json.dumps({"joint3d": PLACES, "visible": FLAGS}).encode("utf-16")),
    "byte-order-mark": data(b"\xef\xbb\xbf" + b'{"joint3d": [], "visible": []}'),
    "invalid-utf-8": data(b'{"joint3d": "\xff\xfe", "visible": []}'),
    "surrogate": text('{"joint3d": "\\ud800", "visible": []}'),
    "key-twice": text('{"joint3d": [], "joint3d": {}, "visible": []}'),
    "a-million-joints": _joints([[0, 0, 0]] * 300_000, [1] * 300_000),
    "sparse-giant": sparse(b"{", 3 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    "link-to-itself": lambda path: path.symlink_to(path),
}  # fmt: skip


def _changed(change: Callable[[dict[str, Array]], object]) -> Write:
    def write(path: Path) -> None:
        arrays = fit_arrays()
        change(arrays)
        write_release_a(path, arrays)

    return write


def _pickled(value: object, protocol: int = 2) -> Write:
    return data(pickle.dumps(value, protocol=protocol))


def _nested(depth: int) -> bytes:
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


FITS: dict[str, Write] = {
    "empty": text(""),
    "text": text("betas"),
    "no-dictionary": _pickled([1, 2, 3]),
    "no-keys": _pickled({}),
    "a-key-is-missing": _changed(lambda fit: fit.pop("betas")),
    "wrong-shape": _changed(lambda fit: fit.update(body_pose=np.zeros((2, 5), np.float32))),
    "words": _changed(lambda fit: fit.update(betas=np.array(["a"] * 10))),
    "objects": _pickled({**fit_arrays(), "betas": np.array([{}] * 10, dtype=object)}),
    "nan": _changed(lambda fit: fit.update(scale=np.array([np.nan], np.float32))),
    "scale-0": _changed(lambda fit: fit.update(scale=np.array([0], np.float32))),
    "scale-negative": _changed(lambda fit: fit.update(scale=np.array([-1], np.float32))),
    "scale-huge": _changed(lambda fit: fit.update(scale=np.array([1e30], np.float32))),
    "far-away": _changed(lambda fit: fit.update(translation=np.full(3, 1e20, np.float32))),
    "spinning": _changed(lambda fit: fit.update(global_orient=np.full((1, 3), 1e9, np.float32))),
    "opens-a-file": _pickled({"betas": Opener(Path("opened-by-a-pickle"))}),
    "calls-eval": data(b"cbuiltins\neval\n(S'open(\"opened-by-a-pickle\", \"w\")'\ntR."),
    "calls-system": data(b"cos\nsystem\n(S'touch opened-by-a-pickle'\ntR."),
    "imports-antigravity": data(b"cantigravity\ngeohash\n(S'a'\ntR."),
    "getattr-chain": data(b"c__builtin__\ngetattr\n(c__builtin__\ndict\nS'fromkeys'\ntR."),
    "persistent-id": data(b"\x80\x02Pid\n."),
    "stack-underflow": data(b"\x80\x02tR."),
    "memo-missing": data(b"\x80\x02h\x07."),
    "protocol-99": data(b"\x80\x63}."),
    "long-of-a-billion-digits": data(b"\x80\x02\x8b\xff\xff\xff\x7f" + b"\xff" * 100 + b"."),
    "text-of-4-gib": data(b"\x80\x02X\xff\xff\xff\xff" + b"a" * 100 + b"."),
    "array-of-a-terabyte": data(
        b"\x80\x02}(X\x05\0\0\0betascnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        b"(K\0t\x43\x01b\x87R(K\x01(J\xff\xff\xff\x7fJ\xff\xff\x00\x00tcnumpy\ndtype\n"
        b"X\x02\0\0\0f8\x89\x88\x87R(K\x03X\x01\0\0\0<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
        b"\x89\x43\x04aaaatbu."
    ),
    "deep": data(_nested(100_000)),
    "shared-a-billion-times": data(b"\x80\x02(" + b"".join(
        b"]q" + bytes([n]) + (b"(" + b"h" + bytes([max(n - 1, 0)])) * 1 + b"e" for n in range(40)
    ) + b"t."),
    "npz": data(b"PK\x03\x04" + b"\0" * 100),
    "sparse-giant": sparse(b"\x80\x02", 3 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
}  # fmt: skip


def write_joint_cases(root: Path) -> list[str]:
    """Write a scan a case below a data root, each with hostile joints; returns their names."""
    example = root / "joints.json"
    write_joints(example)
    whole = example.read_bytes()
    example.unlink()
    mutated = {f"mutated-{n}": data(mutate(whole, n)) for n in range(MUTATED_JOINTS)}
    written = []
    for name, write in {**JOINTS, **mutated}.items():
        item = f"rp_joints-{name}_posed_001"
        write_scan(root, item)
        joints = root / "Joint3D/RP" / f"{item}.json"
        joints.unlink()
        write(joints)
        written.append(item)
    return written


def write_fit_cases(root: Path) -> list[str]:
    """Write a scan a case below a data root, each with a hostile fit; returns their names."""
    whole = pickle.dumps(fit_arrays(), protocol=2)
    mutated = {f"mutated-{n}": data(mutate(whole, n)) for n in range(MUTATED_FITS)}
    for name, write in {**FITS, **mutated}.items():
        write_thuman_scan(root, name)
        folder = root / "obj/THuman2/smplx" / name
        folder.mkdir(parents=True)
        write(folder / "smplx_param.pkl")
    return [*FITS, *mutated]
