"""From an annotation of 133 joints to the 31 of this project: checks, corrections, gap filling.

Source: docs/keypoints.md, "Gap filling".
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from schemas.keypoints import (
    COCO_WHOLEBODY_INDICES,
    JOINTS,
    SMPLX_INDICES,
    KeypointSource,
)
from schemas.scan import Joints, ScanRef
from schemas.subjects import JointCorrection, joint_corrections

HEEL_ANKLE = ((19, 15), (22, 16))
"""(heel, ankle), left and right, numbers here: a missing heel takes its ankle."""

TOE_PAIRS = ((17, 18), (20, 21))
"""(big toe, small toe), left and right: a missing one takes the other."""


UNIT_FACTOR = 5.0
"""Joints whose extent differs from the mesh's by more are in another unit."""

FAR_OUTSIDE = 0.15
"""Of the mesh's extent, by which a joint may lie outside the mesh's box before it is dropped."""

MIN_JOINTS_OF_A_BODY = 8


@dataclass(slots=True)
class _Annotation:
    positions: Float64[np.ndarray, "N 3"]
    known: Bool[np.ndarray, " N"]
    source: UInt8[np.ndarray, " N"]

    def put(self, joint: int, position: Float64[np.ndarray, " 3"], source: KeypointSource) -> None:
        self.positions[joint], self.known[joint], self.source[joint] = position, True, source

    def forget(self, joint: int) -> None:
        self.positions[joint], self.known[joint] = np.nan, False
        self.source[joint] = KeypointSource.NONE


def complete_joints(
    ref: ScanRef,
    positions: Float64[np.ndarray, "N 3"],
    visible: Bool[np.ndarray, " N"],
    *,
    body_joints: Float64[np.ndarray, "M 3"] | None = None,
) -> Joints:
    """Correct and fill the annotation of one scan.

    positions: COCO-WholeBody joints in file coordinates. visible: where they count.
    body_joints: SMPL-X joints of the scan's fit, file coordinates; they fill what is still missing.
    """
    annotation = _Annotation(
        positions=np.where(visible[:, None], positions, np.nan),
        known=visible.copy(),
        source=np.where(visible, KeypointSource.ANNOTATED, KeypointSource.NONE).astype(np.uint8),
    )
    for correction in joint_corrections(ref.dataset, ref.item):
        _correct(annotation, correction, body_joints)
    kept = np.array(COCO_WHOLEBODY_INDICES)
    chosen = _Annotation(
        annotation.positions[kept], annotation.known[kept], annotation.source[kept]
    )
    _fill_feet(chosen)
    if body_joints is not None:
        _fill_from_body(chosen, body_joints)
    return Joints(chosen.positions, chosen.known, chosen.source)


def _correct(
    annotation: _Annotation, step: JointCorrection, body_joints: Float64[np.ndarray, "M 3"] | None
) -> None:
    for place, joint in enumerate(step.joints):
        if step.unknown:
            annotation.forget(joint)
        elif step.at is not None:
            annotation.put(joint, np.array(step.at), KeypointSource.CORRECTED)
        elif step.copied:
            origin = step.copied[place if len(step.copied) > 1 else 0]
            if annotation.known[origin]:
                position = annotation.positions[origin] + np.array(step.offset)
                annotation.put(joint, position, KeypointSource.CORRECTED)
        elif step.from_smplx and body_joints is not None:
            position = body_joints[step.from_smplx[place]] + np.array(step.offset)
            annotation.put(joint, position, KeypointSource.CORRECTED)


def _fill_from_body(joints: _Annotation, body_joints: Float64[np.ndarray, "M 3"]) -> None:
    for joint, origin in enumerate(SMPLX_INDICES):
        if not joints.known[joint]:
            joints.put(joint, body_joints[origin], KeypointSource.SMPLX)


def _fill_feet(joints: _Annotation) -> None:
    for heel, ankle in HEEL_ANKLE:
        _copy_if_missing(joints, heel, ankle)
    for big_toe, small_toe in TOE_PAIRS:
        _copy_if_missing(joints, big_toe, small_toe)
        _copy_if_missing(joints, small_toe, big_toe)


def _copy_if_missing(joints: _Annotation, joint: int, origin: int) -> None:
    if not joints.known[joint] and joints.known[origin]:
        joints.put(joint, joints.positions[origin], KeypointSource.COPIED)


def check_annotation(
    positions: Float64[np.ndarray, "N 3"],
    visible: Bool[np.ndarray, " N"],
    vertices: Float64[np.ndarray, "V 3"],
) -> tuple[Bool[np.ndarray, " N"], tuple[str, ...]]:
    """Drop joints that can't belong to the mesh: all in another unit, or single ones far outside.

    positions: file coordinates. The unit is judged by the joints near the mesh where these are
    half of the visible ones or more, so that an absurd joint is dropped alone.
    Returns which are still visible, and what was dropped.
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    size = float((high - low).max())
    beyond = np.maximum(low - positions, positions - high).max(axis=1)
    far = visible & (beyond > FAR_OUTSIDE * size)
    seen = positions[visible & ~far if 2 * far.sum() <= visible.sum() else visible]
    extent = float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0
    is_body = len(seen) >= MIN_JOINTS_OF_A_BODY
    if is_body and not size / UNIT_FACTOR < extent < size * UNIT_FACTOR:
        found = f"they span {extent:.4g} where the mesh spans {size:.4g}"
        return np.zeros_like(visible), (f"joints in another unit: {found}; all are dropped",)
    if not far.any():
        return visible, ()
    return visible & ~far, (f"joints far outside the mesh are dropped: {_name(far)}",)


def _name(joints: Bool[np.ndarray, " N"]) -> str:
    named = {coco: joint.name for coco, joint in zip(COCO_WHOLEBODY_INDICES, JOINTS, strict=True)}
    return ", ".join(named.get(int(joint), f"number {joint}") for joint in np.flatnonzero(joints))
