"""How fast are OBJ files read? Ours against trimesh, and libigl and Open3D where installed.

    python benchmarks/obj.py                  a generated sphere of 100,000 triangles
    python benchmarks/obj.py A.obj B.obj      files of your own

Prints the best of several runs, in milliseconds, and how many times as long the others take.
"""

import importlib
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import trimesh

from benchmarks.guard import hold
from tasks.scans.obj import read_obj

RUNS = 7
RINGS, SEGMENTS = 251, 200
"""2 * 250 * 200 triangles."""


def main(names: list[str]) -> None:
    """Time every reader on every file."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(name) for name in names] or [write_sphere(Path(folder) / "sphere.obj")]
        for path in paths:
            print_table(path)


def print_table(path: Path) -> None:
    """Print one row a reader."""
    geometry = read_obj(path)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, {len(geometry.faces)} triangles")
    seconds = time_best({"scanmill": lambda: read_obj(path), **dict(list_others(path))})
    for name, best in seconds.items():
        ratio = best / seconds["scanmill"]
        print(f"  {name:10} {1000 * best:7.0f} ms   {ratio:5.2f} times as long")
    hold("obj.trimesh", seconds["trimesh"] / seconds["scanmill"])


def list_others(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """Name the other readers that are installed.

    Open3D also opens the textures that a file names, so compare it on the generated one.
    """
    yield "trimesh", lambda: trimesh.load(path, process=False, skip_materials=True)
    if importlib.util.find_spec("igl"):
        igl = importlib.import_module("igl")
        yield "libigl", lambda: igl.readOBJ(str(path))
    if importlib.util.find_spec("open3d"):
        open3d = importlib.import_module("open3d")
        yield "Open3D", lambda: open3d.io.read_triangle_mesh(str(path))


def time_best(readers: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return each reader's shortest run, in seconds; they take turns, so that load hits all."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(RUNS):
        for name, read in readers.items():
            start = time.perf_counter()
            read()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def write_sphere(path: Path) -> Path:
    """Write a sphere as scans are written: v, vt, vn, then faces v/t/n."""
    polar, around = np.meshgrid(
        np.linspace(0.01, np.pi - 0.01, RINGS),
        np.linspace(0, 2 * np.pi, SEGMENTS + 1),
        indexing="ij",
    )
    normals = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], axis=-1
    ).reshape(-1, 3)
    uv = np.stack([around / (2 * np.pi), 1 - polar / np.pi], axis=-1).reshape(-1, 2)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in 90 * normals]
    lines += [f"vt {u:.6f} {v:.6f}" for u, v in uv]
    lines += [f"vn {x:.4f} {y:.4f} {z:.4f}" for x, y, z in normals]
    row = SEGMENTS + 1
    for corner in (row * r + s + 1 for r in range(RINGS - 1) for s in range(SEGMENTS)):
        a, b, c, d = (f"{k}/{k}/{k}" for k in (corner, corner + 1, corner + row, corner + row + 1))
        lines += [f"f {a} {b} {c}", f"f {b} {d} {c}"]
    path.write_text("\n".join(lines) + "\n")
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
