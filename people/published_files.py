"""One person in each published layout: which files there are and what they hold.

RenderPeople: centimetres. THuman2.0: about one unit tall, any heading, with the SMPL-X parameters
that fit the stand-in model. 2K2K: metres, vertex colours, with triangulated OpenPose joints.
Source of the layouts: docs/2k2k-dataset.md, "Input folders"; docs/keypoints.md, "Projection".
"""

import io
import json

import cv2
import numpy as np
from jaxtyping import Float64, Shaped, UInt8
from scipy.spatial.transform import Rotation

from people.atlas import Atlas, charts_of
from people.colored_mesh import cut_finer, format_ply
from people.figure import CM_PER_M, rng_for
from people.made_scan import MadeScan
from people.person import Detail
from people.smplx_fit import format_fit
from people.wholebody import FACE_FROM, LEFT_HAND_FROM, RIGHT_HAND_FROM
from schemas.scan import Charts

Files = dict[str, bytes]

JPEG_QUALITY = 95
FIT_SCALE_RANGE = (0.52, 0.62)
"""File units for one metre. Source: THuman2.0 scans are about one unit tall."""
LAYOUT_PURPOSE = 2
HAND_POINTS, JAW_POINTS = 21, 17
BODY_25: tuple[tuple[int, ...], ...] = (
    (0,), (5, 6), (6,), (8,), (10,), (5,), (7,), (9,), (11, 12), (12,), (14,), (16,), (11,), (13,),
    (15,), (2,), (1,), (4,), (3,), (17,), (18,), (19,), (20,), (21,), (22,),
)  # fmt: skip
"""COCO-WholeBody joints whose mean is each OpenPose body joint."""
SUBDIVISIONS: dict[Detail, int] = {"full": 2, "fast": 0, "sketch": 0}
"""A 2K2K scan is coloured by its vertices, so it needs more of them."""
MANY_FACES = 120_000
"""Meshes with more are cut once at most: the published scans have up to a million vertices."""


def render_people_files(scan: MadeScan, name: str) -> Files:
    """Return the files of a person in RenderPeople's layout."""
    folder = f"obj/RP/{name}_OBJ"
    return {
        f"{folder}/{name}_100k.obj": format_obj(scan, scan.vertices, f"{name}_100k.mtl"),
        f"{folder}/{name}_100k.mtl": format_mtl(name, f"tex/{name}_dif.jpg"),
        f"{folder}/tex/{name}_dif.jpg": encode_jpeg(scan.texture),
        f"Joint3D/RP/{name}.json": format_joints(scan.joints),
        f"DensePose/RP/{name}.npy": format_charts(charts_of(scan.atlas)),
        **_annotations(scan, f"RP/{name}", np.eye(4)),
    }


def thuman_files(scan: MadeScan, name: str, seed: int) -> Files:
    """Return the files of a person in THuman2.0's layout, turned to any heading."""
    rng = rng_for(seed, scan.index, LAYOUT_PURPOSE)
    units_per_m = float(rng.uniform(*FIT_SCALE_RANGE))
    heading = Rotation.from_euler("y", rng.uniform(-180, 180), degrees=True).as_matrix()
    offset = np.array([0.0, rng.uniform(-0.55, -0.45), 0.0])
    if scan.fit is None:
        raise ValueError(f"{name} was made without an SMPL-X fit")
    fit = format_fit(scan.fit, heading, units_per_m, offset)
    scale = units_per_m / CM_PER_M
    placement = np.eye(4)
    placement[:3, :3], placement[:3, 3] = heading * scale, offset
    vertices = scan.vertices @ heading.T * scale + offset
    joints = scan.joints @ heading.T * scale + offset
    folder = f"obj/THuman2/data/{name}"
    return {
        f"{folder}/{name}.obj": format_obj(scan, vertices, "material0.mtl"),
        f"{folder}/material0.mtl": format_mtl(name, "material0.jpeg"),
        f"{folder}/material0.jpeg": encode_jpeg(scan.texture),
        f"obj/THuman2/smplx/{name}/smplx_param.pkl": fit,
        f"Joint3D/THuman2/{name}.json": format_joints(joints),
        f"DensePose/THuman2/{name}.npy": format_charts(charts_of(scan.atlas)),
        **_annotations(scan, f"THuman2/{name}", placement),
    }


def two_k_files(scan: MadeScan, name: str, detail: Detail) -> Files:
    """Return the files of a person in 2K2K's layout."""
    joints = scan.joints / CM_PER_M
    rounds = min(SUBDIVISIONS[detail], 1 if len(scan.faces) > MANY_FACES else 2)
    place, finer = cut_finer(scan, subdivisions=rounds)
    folder = f"obj/2K2K/{name}"
    return {
        f"{folder}/{name}.ply": format_ply(scan.texture, place, finer),
        f"{folder}/kp3ds.json": json.dumps(openpose_joints(joints).round(6).tolist()).encode(),
        f"Joint3D/2K2K/{name}.json": format_joints(joints),
        f"DensePose/2K2K/{name}.npy": format_charts(charts_of(finer)),
        **_annotations(scan, f"2K2K/{name}", np.diag([*[1 / CM_PER_M] * 3, 1.0]), finer),
    }


def _annotations(
    scan: MadeScan,
    folder: str,
    placement: Float64[np.ndarray, "4 4"],
    finer: Atlas | None = None,
) -> Files:
    """Return what is known beside the layout; finer: an atlas cut from the scan's own."""
    if scan.labels is None:
        return {}
    # cut_finer() gives all first quarters, then all second ones, and so on.
    times = 1 if finer is None else len(finer.faces) // len(scan.labels)
    files = {
        **scan.annotations,
        "labels.npy": _format_array(np.tile(scan.labels, times)),
        "placement.json": json.dumps(placement.tolist()).encode(),
    }
    return {f"known/{folder}/{name}": data for name, data in files.items()}


def format_obj(scan: MadeScan, vertices: Float64[np.ndarray, "V 3"], material_file: str) -> bytes:
    """Return the mesh as an OBJ with separate position and texture indices, from 1."""
    atlas = scan.atlas
    corners = np.stack([scan.faces + 1, atlas.faces + 1], axis=2).reshape(-1, 6)
    parts = (
        f"mtllib {material_file}\n",
        _lines("v %.6f %.6f %.6f\n", vertices),
        _lines("vt %.8f %.8f\n", atlas.uv),
        "usemtl skin\n",
        _lines("f %d/%d %d/%d %d/%d\n", corners),
    )
    return "".join(parts).encode()


def _lines(pattern: str, rows: np.ndarray) -> str:
    return (pattern * len(rows)) % tuple(rows.ravel().tolist())


def format_mtl(name: str, texture: str) -> bytes:
    """Return a material file with one textured material."""
    head = f"# {name}\nnewmtl skin\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 1\n"
    return f"{head}map_Kd {texture}\n".encode()


def format_charts(charts: Charts) -> bytes:
    """Return the `DensePose` .npy file: `Charts.rows`."""
    return _format_array(charts.rows)


def _format_array(array: Shaped[np.ndarray, "..."]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def format_joints(joints: Float64[np.ndarray, "133 3"]) -> bytes:
    """Return the `Joint3D` JSON; all joints are known, whichever way the person faces."""
    rows = np.round(joints, 6).tolist()
    return json.dumps({"joint3d": rows, "visible": [1] * len(rows)}).encode()


def encode_jpeg(image: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Return an RGB image as a JPEG of quality 95."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(image[:, :, ::-1]), flags)
    return data.tobytes()


def openpose_joints(joints: Float64[np.ndarray, "133 3"]) -> Float64[np.ndarray, "118 4"]:
    """Return BODY_25, left hand, right hand and 51 face points, each with confidence 1."""
    body = np.array([joints[list(group)].mean(axis=0) for group in BODY_25])
    hands = joints[LEFT_HAND_FROM : RIGHT_HAND_FROM + HAND_POINTS]
    face = joints[FACE_FROM + JAW_POINTS : LEFT_HAND_FROM]
    rows = np.concatenate([body, hands, face])
    return np.column_stack([rows, np.ones(len(rows))])
