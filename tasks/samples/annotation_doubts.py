"""Joints that can't belong to their mesh: in another unit, or far outside the body."""

import numpy as np
from jaxtyping import Bool, Float64

from schemas.keypoints import COCO_WHOLEBODY_INDICES, JOINTS

UNIT_FACTOR = 5.0
"""Joints whose extent differs from the mesh's by more are in another unit."""

FAR_OUTSIDE = 0.15
"""Of the mesh's extent, by which a joint may lie outside the mesh's box before it is dropped."""

MIN_JOINTS_OF_A_BODY = 8


def check_annotation(
    positions: Float64[np.ndarray, "N 3"],
    visible: Bool[np.ndarray, " N"],
    vertices: Float64[np.ndarray, "V 3"],
) -> tuple[Bool[np.ndarray, " N"], tuple[str, ...]]:
    """Drop joints that can't belong to the mesh: all in another unit, or single ones far outside.

    positions: file coordinates. Returns which are still visible, and what was dropped.
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    size = float((high - low).max())
    seen = positions[visible]
    extent = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
    is_body = len(seen) >= MIN_JOINTS_OF_A_BODY
    if is_body and not size / UNIT_FACTOR < extent < size * UNIT_FACTOR:
        found = f"they span {extent:.4g} where the mesh spans {size:.4g}"
        return np.zeros_like(visible), (f"joints in another unit: {found}; all are dropped",)
    beyond = np.maximum(low - positions, positions - high).max(axis=1)
    far = visible & (beyond > FAR_OUTSIDE * size)
    if not far.any():
        return visible, ()
    return visible & ~far, (f"joints far outside the mesh are dropped: {_name(far)}",)


def _name(joints: Bool[np.ndarray, " N"]) -> str:
    named = {coco: joint.name for coco, joint in zip(COCO_WHOLEBODY_INDICES, JOINTS, strict=True)}
    return ", ".join(named.get(int(joint), f"number {joint}") for joint in np.flatnonzero(joints))
