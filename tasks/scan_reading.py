"""One scan from its files to a value: mesh, joints, digests, and what had to be put right."""

from pathlib import Path

from schemas.scan import Joints, Scan, ScanRef
from tasks.keypoints import complete_joints, unknown_joints
from tasks.scans.joints import read_joint3d
from tasks.scans.layouts import ScanFiles, find_scan
from tasks.scans.reader import digest_inputs, read_mesh


def load_scan(data_root: Path, ref: ScanRef) -> Scan:
    """Read a scan whole.

    Raises InputError when its mesh, texture or annotation is missing or broken; a scan without
    any annotation is read with unknown joints and a warning.
    """
    files = find_scan(data_root, ref.dataset, ref.item)
    reading = read_mesh(files)
    joints, warnings = _read_joints(files, ref)
    return Scan(
        ref=ref,
        mesh=reading.mesh,
        joints=joints,
        files=digest_inputs(files, reading.asked_for),
        warnings=(*reading.warnings, *warnings),
    )


def _read_joints(files: ScanFiles, ref: ScanRef) -> tuple[Joints, tuple[str, ...]]:
    if files.joints is None:
        return unknown_joints(), ("no Joint3D annotation: all keypoints are unknown",)
    positions, visible = read_joint3d(files.joints)
    return complete_joints(ref, positions, visible), ()
