"""One image of all maps of a person, for people: what the nets saw, depth, normals."""

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from schemas.keypoints import BONES
from tasks.reconstruction.surfaces import Surfaces

SIDE = 320
BONE, JOINT = (80, 220, 120), (255, 90, 60)
CAPTION = (235, 235, 235)
WHITE = 255
_TO_IMAGE_AXES = np.array([1, -1, -1], np.float32)


def draw_overview(
    surfaces: Surfaces, predicted: Mapping[str, np.ndarray], keypoints: Float[np.ndarray, "31 3"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw two rows of four: input, depth, normals and normals of the depth."""
    normals = predicted["normals"]
    consistency = np.where(surfaces.mask, predicted["consistency"], 0)
    top = {
        "input and joints": draw_joints(surfaces.image, keypoints),
        "depth, front": shade_depth(surfaces, surfaces.front),
        "normals, front": _rgb(normals[:3]), "of the depth, front": _rgb(consistency[:3]),
    }  # fmt: skip
    bottom = {
        "person": np.where(surfaces.mask[..., None], surfaces.image, np.uint8(0)),
        "depth, back": shade_depth(surfaces, surfaces.back),
        "normals, back": _rgb(normals[3:]), "of the depth, back": _rgb(consistency[3:]),
    }  # fmt: skip
    return draw_panels(top, bottom)


def draw_panels(*rows: Mapping[str, UInt8[np.ndarray, "R R 3"]]) -> UInt8[np.ndarray, "H W 3"]:
    """Draw images below and beside each other, each with its caption; rows are equally long."""
    drawn = [[_panel(image, name) for name, image in row.items()] for row in rows]
    return np.vstack([np.hstack(row) for row in drawn])


def draw_joints(
    image: UInt8[np.ndarray, "R R 3"], keypoints: Float[np.ndarray, "31 3"]
) -> UInt8[np.ndarray, "R R 3"]:
    """Draw known joints and the bones between them."""
    drawn = image.copy()
    thick = max(1, image.shape[0] // 200)
    places = [(int(x), int(y)) if known else None for x, y, known in keypoints]
    for one, other in BONES:
        start, end = places[one], places[other]
        if start is not None and end is not None:
            cv2.line(drawn, start, end, BONE, thick, cv2.LINE_AA)
    for place in places:
        if place is not None:
            cv2.circle(drawn, place, 2 * thick, JOINT, -1, cv2.LINE_AA)
    return drawn


def shade_depth(surfaces: Surfaces, depth: Float[np.ndarray, "R R"]) -> UInt8[np.ndarray, "R R 3"]:
    """Draw depth from white (near) to dark (far), over the range of both surfaces."""
    inside = surfaces.mask
    both = np.concatenate([surfaces.front[inside], surfaces.back[inside]])
    near, far = np.percentile(both, [1, 99])
    share = np.clip((far - depth) / max(float(far - near), 1e-6), 0, 1)
    grey = np.where(inside, 40 + share * (WHITE - 40), 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def color_normals(
    normal: Float32[np.ndarray, "H W 3"], inside: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Color a normal map the usual way: right is red, up is green, towards the viewer is blue."""
    colors = (normal * _TO_IMAGE_AXES + 1) * np.float32(127.5)
    return np.where(inside[..., None], colors, 0).astype(np.uint8)


def _rgb(planes: Float[np.ndarray, "3 R R"]) -> UInt8[np.ndarray, "R R 3"]:
    levels = np.clip(planes.astype(np.float32) * WHITE, 0, WHITE).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _panel(image: UInt8[np.ndarray, "R R 3"], caption: str) -> UInt8[np.ndarray, "S S 3"]:
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    cv2.putText(
        small, caption, (8, SIDE - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.45, CAPTION, 1, cv2.LINE_AA
    )
    return small
