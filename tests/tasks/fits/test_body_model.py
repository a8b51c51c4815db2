from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError, RequestError
from schemas.keypoints import SMPLX_INDICES
from schemas.scan import ScanRef
from tasks.fits.body_model import BodyModel, digest_model, open_body_model
from tasks.samples.joint_completion import complete_joints
from tasks.samples.scan_reading import load_scan
from tests.tasks.fits.fit_pickles import Opener
from tests.tasks.fits.fitted_scans import thuman_ref

NO_FINGERS = slice(0, 23)
"""SMPL-X's fingers are tips, COCO-WholeBody's first knuckles."""


def _only(root: Path) -> ScanRef:
    return thuman_ref(next((root / "obj/THuman2/data").iterdir()).name)


def test_the_joints_of_the_body_are_the_persons_own(fitted_root: Path, stand_in: BodyModel) -> None:
    scan = load_scan(fitted_root, _only(fitted_root), model=stand_in)
    assert scan.body is not None
    assert scan.fit is not None
    filled = scan.body.joints[list(SMPLX_INDICES)]
    metres = np.linalg.norm(filled - scan.joints.positions, axis=1) / scan.fit.scale
    assert metres[NO_FINGERS].max() < 1e-5  # float32 parameters
    assert metres.max() < 0.1  # a finger's length


def test_the_body_has_the_models_faces_and_stands_in_file_coordinates(
    fitted_root: Path, stand_in: BodyModel
) -> None:
    scan = load_scan(fitted_root, _only(fitted_root), model=stand_in)
    assert scan.body is not None
    used = scan.body.vertices[np.unique(scan.body.faces)]
    assert np.ptp(used[:, 1]) == pytest.approx(np.ptp(scan.mesh.vertices[:, 1]), rel=0.1)


def test_without_annotation_all_joints_come_from_the_body(
    fitted_root: Path, stand_in: BodyModel
) -> None:
    ref = _only(fitted_root)
    body = load_scan(fitted_root, ref, model=stand_in).body
    assert body is not None
    joints = complete_joints(
        ref, np.full((133, 3), np.nan), np.zeros(133, bool), body_joints=body.joints
    )
    assert joints.known.all()
    assert set(joints.source.tolist()) == {4}
    assert np.array_equal(joints.positions, body.joints[list(SMPLX_INDICES)])


def test_a_folder_without_the_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no SMPLX_MALE\.npz in .*expected a folder that holds"):
        digest_model(tmp_path)


def test_another_model_than_the_first_is_refused(fitted_root: Path) -> None:
    with pytest.raises(RequestError, match="expected the model that the data set was begun with"):
        open_body_model(fitted_root / "smplx_models", "0" * 64)


def test_a_broken_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SMPLX_MALE.npz").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(InputError, match="no SMPL-X model"):
        open_body_model(tmp_path, digest_model(tmp_path))


def test_a_model_that_would_run_something_is_refused(tmp_path: Path) -> None:
    hostile = np.empty(1, object)
    hostile[0] = Opener(tmp_path / "opened")
    np.savez(tmp_path / "SMPLX_MALE.npz", v_template=hostile)
    with pytest.raises(InputError, match="Object arrays cannot be loaded"):
        open_body_model(tmp_path, digest_model(tmp_path))
    assert not (tmp_path / "opened").exists()
