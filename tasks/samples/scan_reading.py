"""One scan from its files to a value: mesh, joints, fit, digests, and what had to be put right."""

from pathlib import Path

import numpy as np

from schemas.fits import FittedBody, SmplxFit
from schemas.scan import Joints, Mesh, Scan, ScanRef
from tasks.fits.body_model import BodyModel
from tasks.fits.fit_parameters import read_fit
from tasks.fits.placing import yaw_of_fit
from tasks.samples.joint_completion import check_annotation, complete_joints
from tasks.scans.charts import read_charts
from tasks.scans.joints import MIN_JOINTS, read_annotation
from tasks.scans.layouts import LAYOUTS, ScanFiles, find_scan
from tasks.scans.scan_mesh import digest_inputs, read_mesh

Warnings = tuple[str, ...]


def load_scan(
    data_root: Path,
    ref: ScanRef,
    *,
    model: BodyModel | None = None,
    resolution: int | None = None,
) -> Scan:
    """Read a scan whole; model: makes the body of its fit, which fills missing joints.

    resolution: of the images that will be drawn of it, pixels a side; see read_mesh.

    Raises InputError when its mesh, texture, annotation, fit or charts are missing or broken; a
    scan without any annotation is read with unknown joints and a warning, one without a fit
    unturned, one without charts knows no DensePose parts.
    """
    files = find_scan(data_root, ref.dataset, ref.item)
    reading = read_mesh(files, resolution=resolution)
    fit, about_fit = _read_fit(files)
    body = model.make_body(fit) if model and fit else None
    joints, about_joints = _read_joints(files, ref, body, reading.mesh)
    return Scan(
        ref=ref,
        mesh=reading.mesh,
        joints=joints,
        files=digest_inputs(files, reading.asked_for),
        warnings=(*reading.warnings, *about_fit, *about_joints),
        fit=fit,
        body=body,
        charts=read_charts(files.charts, face_count=len(reading.mesh.faces))
        if files.charts
        else None,
    )


def _read_fit(files: ScanFiles) -> tuple[SmplxFit | None, Warnings]:
    """Read the fit where the data set has fits."""
    if files.lacks_fit:
        return None, ("no SMPL-X fit: the scan is not turned to the front",)
    if files.fit is None:
        return None, ()
    fit = read_fit(files.fit)
    if LAYOUTS[files.dataset].turned_by_fit and yaw_of_fit(fit, "true_yaw") is None:
        return fit, ("the fit faces straight up or down: the scan is not turned to the front",)
    return fit, ()


def _read_joints(
    files: ScanFiles, ref: ScanRef, body: FittedBody | None, mesh: Mesh
) -> tuple[Joints, Warnings]:
    positions, visible = np.full((MIN_JOINTS, 3), np.nan), np.zeros(MIN_JOINTS, bool)
    lack: str = "no Joint3D annotation"
    doubts: Warnings = ()
    if files.joints is not None:
        positions, visible = read_annotation(files.joints)
        lack = "" if visible.any() else "no joint of the Joint3D annotation is visible"
        visible, doubts = check_annotation(positions, visible, mesh.used_vertices)
    joints = complete_joints(ref, positions, visible, body_joints=body.joints if body else None)
    if not lack:
        return joints, doubts
    what = "those of the SMPL-X fit are used" if joints.known.any() else "all keypoints are unknown"
    return joints, (f"{lack}: {what}",)
