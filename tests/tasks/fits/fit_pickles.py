"""Pickles as the two releases wrote them, and worse ones; written opcode by opcode."""

import pickle
from pathlib import Path

import numpy as np

SIZES = {
    "betas": 10, "global_orient": 3, "body_pose": 63, "left_hand_pose": 12, "right_hand_pose": 12,
    "jaw_pose": 3, "leye_pose": 3, "reye_pose": 3, "expression": 10,
}  # fmt: skip


class Opener:
    """What an attacker pickles: unpickled, it would call open on a file."""

    def __init__(self, path: Path) -> None:
        """Choose the file."""
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        """Ask for open."""
        return open, (str(self.path), "w")


def fit_arrays(
    *, global_orient: tuple[float, float, float] = (0.03, 0.46, -0.02), seed: int = 0
) -> dict[str, np.ndarray]:
    """Make parameters of release A: float32, scale (1,), translation (3,)."""
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(0, 0.1, (1, size)).astype(np.float32) for name, size in SIZES.items()
    }
    arrays["global_orient"] = np.array([global_orient], np.float32)
    arrays["scale"] = np.array([0.42], np.float32)
    arrays["translation"] = np.array([-0.0055, 0.15, -0.0024], np.float32)
    return arrays


def write_release_a(path: Path, arrays: dict[str, np.ndarray] | None = None) -> Path:
    """Write plain arrays by protocol 2, as release A."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(arrays or fit_arrays(), protocol=2))
    return path


def write_release_b(path: Path) -> Path:
    """Write scale and translation as trimesh arrays of float64 by protocol 3, as release B."""
    arrays = fit_arrays()
    names = b"".join(
        _text(name) + _array(b"cnumpy\nndarray\n", array)
        for name, array in arrays.items()
        if name not in {"scale", "translation"}
    )
    tracked = b"ctrimesh.caching\nTrackedArray\n"
    names += _text("scale") + _array(tracked, np.array(0.42))
    names += _text("translation") + _array(tracked, np.array([-0.0055, 0.15, -0.0024]))
    path.write_bytes(b"\x80\x03}(" + names + b"u.")
    return path


def _array(kind: bytes, array: np.ndarray) -> bytes:
    shape = b"(" + b"".join(b"K" + bytes([size]) for size in array.shape) + b"t"
    dtype = b"cnumpy\ndtype\n" + _text(array.dtype.str[1:]) + b"\x89\x88\x87R"
    dtype += b"(K\x03" + _text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = array.tobytes()
    begun = b"cnumpy.core.multiarray\n_reconstruct\n" + kind + b"K\x00\x85C\x01b\x87R"
    return begun + b"(K\x01" + shape + dtype + b"\x89C" + bytes([len(data)]) + data + b"tb"


def _text(text: str) -> bytes:
    return b"X" + len(text).to_bytes(4, "little") + text.encode()
