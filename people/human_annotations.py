"""What is known of a person beside what a layout holds: naked body, parts, albedo, bones, traits.

naked.ply       the naked body in the scan's pose, registered to it, centimetres
albedo.jpg      the texture without light
person.json     classes, bones (rest to posed, centimetres) and traits
labels.npy      class of each face of the scan's mesh, uint8 (`people.published_files`)
placement.json  4 x 4: from these centimetres to the scan's file (`people.published_files`)
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Float32, Int32

from people.human_mesh import piece_mesh

if TYPE_CHECKING:
    from people.human import Human

JPEG_QUALITY = 95
NAKED_LEVEL = 1


def human_annotations(human: "Human") -> dict[str, bytes]:
    """Return the files that are equal in all layouts."""
    skin = piece_mesh("skin", NAKED_LEVEL)
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, albedo = cv2.imencode(".jpg", np.ascontiguousarray(human.albedo[:, :, ::-1]), flags)
    return {
        "naked.ply": format_bare_ply(skin.place(human.posed.vertices), skin.faces),
        "albedo.jpg": albedo.tobytes(),
        "person.json": _describe(human),
    }


def _describe(human: "Human") -> bytes:
    bones = {name: np.round(matrix, 6).tolist() for name, matrix in human.posed.transforms.items()}
    skeleton = human.body.skeleton
    joints = {
        name: np.round(place, 4).tolist()
        for name, place in zip(skeleton.names, skeleton.heads, strict=True)
    }
    return json.dumps(
        {
            "classes": human.classes,
            "traits": asdict(human.body.traits),
            "rest_joints_cm": joints,
            "rest_to_posed_cm": bones,
        }
    ).encode()


def format_bare_ply(vertices: Float32[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]) -> bytes:
    """Return a binary PLY of a mesh without colours."""
    rows = np.zeros(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    rows["count"], rows["corners"] = 3, faces
    lines = (
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    )
    return "\n".join(lines).encode() + vertices.astype("<f4").tobytes() + rows.tobytes()
