"""One scan from its files to a value: mesh, joints, fit, digests, and what had to be put right."""

from pathlib import Path

from schemas.fits import SmplxFit
from schemas.scan import Joints, Scan, ScanRef
from tasks.fits.fronting import yaw_of_fit
from tasks.fits.reader import read_fit
from tasks.keypoints import complete_joints, unknown_joints
from tasks.scans.joints import read_joint3d
from tasks.scans.layouts import ScanFiles, find_scan
from tasks.scans.reader import digest_inputs, read_mesh

Warnings = tuple[str, ...]


def load_scan(data_root: Path, ref: ScanRef) -> Scan:
    """Read a scan whole.

    Raises InputError when its mesh, texture, annotation or fit is missing or broken; a scan
    without any annotation is read with unknown joints and a warning, one without a fit unturned.
    """
    files = find_scan(data_root, ref.dataset, ref.item)
    reading = read_mesh(files)
    fit, about_fit = _read_fit(files)
    joints, about_joints = _read_joints(files, ref)
    return Scan(
        ref=ref,
        mesh=reading.mesh,
        joints=joints,
        files=digest_inputs(files, reading.asked_for),
        warnings=(*reading.warnings, *about_fit, *about_joints),
        fit=fit,
    )


def _read_fit(files: ScanFiles) -> tuple[SmplxFit | None, Warnings]:
    """Read the fit where the data set has fits."""
    if not files.tried["fit"]:
        return None, ()
    if files.fit is None:
        return None, ("no SMPL-X fit: the scan is not turned to the front",)
    fit = read_fit(files.fit)
    if yaw_of_fit(fit, "true_yaw") is None:
        return fit, ("the fit faces straight up or down: the scan is not turned to the front",)
    return fit, ()


def _read_joints(files: ScanFiles, ref: ScanRef) -> tuple[Joints, Warnings]:
    if files.joints is None:
        return unknown_joints(), ("no Joint3D annotation: all keypoints are unknown",)
    positions, visible = read_joint3d(files.joints)
    return complete_joints(ref, positions, visible), ()
