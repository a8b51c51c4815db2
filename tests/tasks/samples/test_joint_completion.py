import numpy as np
import pytest

from schemas.keypoints import COCO_WHOLEBODY_INDICES, JOINT_OF_COCO, KeypointSource
from schemas.scan import DatasetName, Joints, ScanRef
from tasks.samples.joint_completion import complete_joints


def _complete(item: str = "rp_nobody_posed_001", missing: tuple[int, ...] = ()) -> Joints:
    dataset: DatasetName = "RP" if item.startswith("rp_") else "THuman2"
    ref = ScanRef(dataset=dataset, item=item, subject=item, split="train")
    positions = np.arange(133 * 3, dtype=np.float64).reshape(133, 3)
    visible = np.ones(133, bool)
    visible[list(missing)] = False
    return complete_joints(ref, positions, visible)


def test_the_31_joints_are_picked_in_their_order() -> None:
    joints = _complete()
    assert joints.positions[:, 0].tolist() == [3.0 * index for index in COCO_WHOLEBODY_INDICES]
    assert set(joints.source.tolist()) == {KeypointSource.ANNOTATED}


def test_an_invisible_joint_is_unknown() -> None:
    joints = _complete(missing=(0,))
    assert not joints.known[0]
    assert np.isnan(joints.positions[0]).all()
    assert joints.source[0] == KeypointSource.NONE


@pytest.mark.parametrize(("missing", "origin"), [(19, 15), (22, 16), (17, 18), (18, 17), (21, 20)])
def test_a_missing_heel_takes_the_ankle_and_a_toe_the_other_toe(missing: int, origin: int) -> None:
    joints = _complete(missing=(missing,))
    assert joints.positions[missing].tolist() == joints.positions[origin].tolist()
    assert joints.source[missing] == KeypointSource.COPIED


def test_two_missing_toes_stay_unknown() -> None:
    joints = _complete(missing=(17, 18))
    assert not joints.known[[17, 18]].any()


def test_a_correction_sets_a_position_and_makes_the_joint_known() -> None:
    joints = _complete("rp_joyce_posed_021", missing=(8,))
    assert joints.positions[8].tolist() == [14, 149, 4]
    assert joints.source[8] == KeypointSource.CORRECTED


def test_a_correction_copies_a_joint() -> None:
    joints = _complete("rp_holly_posed_010")
    middle, pinky = JOINT_OF_COCO[104], JOINT_OF_COCO[108]
    assert joints.positions[middle].tolist() == joints.positions[pinky].tolist()


def test_later_steps_of_a_correction_see_the_earlier_ones() -> None:
    joints = _complete("0061")
    ankle = np.array([30.03, 30.98, 32.0])
    assert joints.positions[16] == pytest.approx(ankle)
    assert joints.positions[20] == pytest.approx([30.05, 30.96, 31.95])
    assert joints.positions[22] == pytest.approx(ankle)


def test_a_correction_can_make_joints_unknown() -> None:
    assert not _complete("0317").known[23:].any()


def test_a_step_from_smplx_waits_for_a_fit() -> None:
    joints = _complete("0058", missing=(96,))
    assert not joints.known[JOINT_OF_COCO[96]]


BODY = np.arange(127 * 3, dtype=np.float64).reshape(127, 3) + 5000
"""SMPL-X joints of a fit, unlike any annotated place."""


def _fill(item: str, missing: tuple[int, ...]) -> Joints:
    ref = ScanRef(dataset="THuman2", item=item, subject=item, split="train")
    visible = np.ones(133, bool)
    visible[list(missing)] = False
    positions = np.arange(133 * 3, dtype=np.float64).reshape(133, 3)
    return complete_joints(ref, positions, visible, body_joints=BODY)


@pytest.mark.parametrize(
    ("joint", "coco", "smplx"),
    [(0, 0, 55), (1, 1, 57), (2, 2, 56), (5, 5, 16), (6, 6, 17), (9, 9, 20), (11, 11, 1),
     (13, 13, 4), (16, 16, 8), (23, 96, 67), (26, 108, 70), (27, 117, 72), (30, 129, 75)],
)  # fmt: skip
def test_a_missing_joint_comes_from_the_fit(joint: int, coco: int, smplx: int) -> None:
    joints = _fill("0001", (coco,))
    assert joints.positions[joint].tolist() == BODY[smplx].tolist()
    assert joints.source[joint] == KeypointSource.SMPLX
    assert (joints.source == KeypointSource.ANNOTATED).sum() == 30


def test_a_heel_takes_its_ankle_before_the_fit_and_the_fit_when_both_are_missing() -> None:
    assert _fill("0001", (19,)).source[19] == KeypointSource.COPIED
    both = _fill("0001", (15, 19))
    assert both.positions[15].tolist() == BODY[7].tolist()
    assert both.positions[19].tolist() == BODY[62].tolist()


def test_a_correction_from_smplx_is_the_fits_joint_and_its_offset() -> None:
    joints = _fill("0058", ())
    assert joints.positions[23].tolist() == (BODY[67] + [0, -0.028, 0]).tolist()
    assert joints.source[23] == KeypointSource.CORRECTED
    assert joints.positions[26].tolist() == (BODY[70] + [0, -0.028, 0]).tolist()


def test_joints_that_a_correction_takes_away_are_filled_from_the_fit() -> None:
    joints = _fill("0317", ())
    assert joints.positions[30].tolist() == BODY[75].tolist()
