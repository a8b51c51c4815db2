"""The scene of the golden images: a textured figure in RenderPeople's layout, drawn by the command.

The figure is a surface of revolution with two arms: about 3,400 triangles, curved everywhere, so
that a change of a camera, a normal, a filter or a light is seen in one of the images.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Float, Int, UInt8

from schemas.codecs import decode_depth, decode_normals

ROOT = Path(__file__).resolve().parent.parent.parent
ITEM = "rp_figure_posed_001"
AROUND, ALONG = 48, 28
HEIGHT_CM = 170.0
RENDER = (
    "--resolution", "256", "--yaws", "20", "--lights", "spots", "--workers", "1", "--seed", "3",
)  # fmt: skip
Image = UInt8[np.ndarray, "H W 3"]


def write_figure(data_root: Path) -> None:
    """Write mesh, texture and joints of the figure."""
    folder = data_root / "obj/RP" / f"{ITEM}_OBJ"
    (folder / "tex").mkdir(parents=True)
    (folder / f"{ITEM}_100k.obj").write_text(figure_obj())
    cv2.imwrite(str(folder / "tex" / f"{ITEM}_dif_8k.jpg"), figure_texture())
    joints = data_root / "Joint3D/RP" / f"{ITEM}.json"
    joints.parent.mkdir(parents=True)
    nothing = {"joint3d": np.zeros((133, 3)).tolist(), "visible": [0] * 133}
    joints.write_text(json.dumps(nothing))


def figure_obj() -> str:
    """Return the figure as OBJ text, centimetres, y up."""
    arm = tube(length=62, radius=5.5)
    turned = np.array([[0.87, 0.5, 0], [-0.5, 0.87, 0], [0, 0, 1]])
    left = arm @ turned.T * (-1, 1, 1) + (33, 96, 0)
    right = arm @ turned.T + (-33, 96, 0)
    parts = [(body(), 0.0, 0.6), (left, 0.6, 0.8), (right, 0.8, 1.0)]
    lines = [f"mtllib none.mtl\no {ITEM}"]
    for points, _, _ in parts:
        lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in points]
    for _, low, high in parts:
        lines += [f"vt {u:.6f} {v:.6f}" for u, v in grid_uv(low, high)]
    for number, (points, _, _) in enumerate(parts):
        faces = grid_faces(is_mirrored=number == 1) + number * len(points) + 1
        lines += ["f " + " ".join(f"{corner}/{corner}" for corner in face) for face in faces]
    return "\n".join(lines) + "\n"


def body() -> Float[np.ndarray, "N 3"]:
    """Return legs, trunk, neck and head as one surface of revolution, flattened in depth."""
    t = np.linspace(0, 1, ALONG)[:, None]
    heights = np.array([0, 0.03, 0.3, 0.5, 0.6, 0.75, 0.82, 0.86, 0.9, 0.95, 1.0])
    radii = np.array([1, 13, 15, 19, 15, 21, 17, 6, 11, 10, 1])
    radius = np.interp(t, heights, radii)
    angle = np.linspace(0, 2 * np.pi, AROUND + 1)[None, :]
    x, z = radius * np.cos(angle), 0.6 * radius * (np.sin(angle) + 0.15 * np.sin(5 * angle))
    y = np.broadcast_to(HEIGHT_CM * t, x.shape)
    return np.stack([x, y, z], axis=-1).reshape(-1, 3)


def tube(*, length: float, radius: float) -> Float[np.ndarray, "N 3"]:
    """Return an arm along y, centred."""
    t = np.linspace(0, 1, ALONG)[:, None]
    angle = np.linspace(0, 2 * np.pi, AROUND + 1)[None, :]
    width = radius * np.sqrt(np.clip(1 - (2 * t - 1) ** 8, 0.002, 1))
    x, z = width * np.cos(angle), width * np.sin(angle)
    return np.stack([x, np.broadcast_to(length * (t - 0.5), x.shape), z], axis=-1).reshape(-1, 3)


def grid_uv(low: float, high: float) -> Float[np.ndarray, "N 2"]:
    """Return texture coordinates of a grid: u around within its share, v along."""
    v, u = np.mgrid[0 : 1 : ALONG * 1j, low : high : (AROUND + 1) * 1j]
    return np.stack([u, v], axis=-1).reshape(-1, 2)


def grid_faces(*, is_mirrored: bool) -> Int[np.ndarray, "F 3"]:
    """Return the triangles of a grid, counter-clockwise from outside."""
    row, column = np.mgrid[: ALONG - 1, :AROUND]
    corner = (row * (AROUND + 1) + column).ravel()
    right, up = corner + 1, corner + AROUND + 1
    faces = np.concatenate([np.stack([corner, up, right], 1), np.stack([right, up, up + 1], 1)])
    return faces[:, ::-1] if is_mirrored else faces


def figure_texture() -> Image:
    """Return coloured tiles with a fine pattern, so that filtering matters."""
    side = np.arange(512)
    tiles = (side[:, None] // 32 + side[None, :] // 32) % 2
    fine = 20 * ((side[:, None] // 2 + side[None, :] // 3) % 2)
    ramp = 255 * side / 511
    channels = np.broadcast_arrays(
        130 + 80 * tiles, 60 + ramp[:, None] * 0.7, 60 + ramp[None, :] * 0.7
    )
    return (np.stack(channels, axis=-1) * 0.85 + fine[..., None]).astype(np.uint8)


def scanmill(folder: Path, *words: object) -> None:
    """Run the command in a folder with a cache of its own; raises when it fails."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flows.cli", *map(str, words)]
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def draw_images(folder: Path) -> Mapping[str, Image]:
    """Render the figure by both standard cameras and return the golden images by name."""
    write_figure(folder / "people")
    render = ("render", "--data", folder / "people", "--dataset", "RP")
    scanmill(folder, *render, "--out", folder / "set", *RENDER)
    hdnet = ("--camera", "hdnet", "--yaws", "20", "--workers", "1", "--seed", "3")
    scanmill(folder, *render, "--out", folder / "hdnet", "--lights", "spots", *hdnet)
    (row,) = pq.read_table(folder / "set/samples").to_pylist()
    (labelled,) = pq.read_table(folder / "hdnet/samples").to_pylist()
    colors = [read_image(row[name]) for name in ("color_front", "color_back")]
    depths = [shade(depth) for depth in decode_depth(row["depth"])[:2]]
    normals = [paint(normal) for normal in decode_normals(row["normals"])[:2]]
    return {
        "color": np.concatenate(colors, axis=1),
        "lit": np.concatenate([read_image(row["shaded"]), read_image(labelled["shaded"])], axis=1),
        "depth": np.concatenate(depths, axis=1),
        "normals": np.concatenate(normals, axis=1),
    }


def read_image(stored: Mapping[str, bytes]) -> Image:
    """Decode an image column, RGB."""
    decoded = cv2.imdecode(np.frombuffer(stored["bytes"], np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1]).astype(np.uint8)


def shade(depth: Float[np.ndarray, "H W"]) -> Image:
    """Paint depth of 0.7 to 1.3 as 255 to 55; 0 outside."""
    grey = np.where(depth > 0, 255 - 200 * (depth - 0.7) / 0.6, 0).clip(0, 255)
    return np.repeat(grey.round().astype(np.uint8)[..., None], 3, axis=2)


def paint(normals: Float[np.ndarray, "H W 3"]) -> Image:
    """Paint unit normals as (n + 1) / 2; 0 outside."""
    inside = (normals != 0).any(axis=-1, keepdims=True)
    return np.where(inside, (normals.astype(np.float64) + 1) / 2 * 255, 0).round().astype(np.uint8)
