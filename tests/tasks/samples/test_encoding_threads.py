from collections.abc import Iterator

import numpy as np
import pytest

from schemas.camera import camera_2k2k
from schemas.sample import Sample, Surface, Surfaces
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.samples.drawing import ViewFailure
from tasks.samples.encoding_threads import EncodedSample, encode_behind

REF = ScanRef(dataset="RP", item="a", subject="a", split="train")


def make_sample(number: int, *, side: int = 8) -> Sample:
    """Make a black sample; one without pixels can't be encoded."""
    black = np.zeros((side, side, 3), np.uint8)
    surface = Surface.of_images(
        color=black, depth=np.zeros((side, side), np.float32),
        normal=np.zeros((side, side, 3), np.float32),
        triangle=np.full((side, side), -1, np.int32),
    )  # fmt: skip
    mask = np.zeros((side, side), bool)
    return Sample(
        sample_id=str(number), ref=REF, view=View(0.0), camera=camera_2k2k(side),
        mesh_to_world=np.eye(4), metres_per_unit=1.0, metric_source="file",
        surfaces=Surfaces(surface, surface, mask), shaded=black, image=black,
        keypoints=np.zeros((31, 3), np.float32), joints_camera=np.zeros((31, 3), np.float32),
        keypoint_source=np.zeros(31, np.uint8), keypoint_occluded=np.zeros(31, np.uint8),
        background=None, seed=0,
    )  # fmt: skip


def kinds_of(made: list[EncodedSample | ViewFailure]) -> list[tuple[str, str]]:
    return [(one.sample_id, type(one).__name__) for one in made]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_rows_keep_the_order_of_the_drawing(count: int) -> None:
    made = list(encode_behind(map(make_sample, range(count)), RenderSettings()))
    assert kinds_of(made) == [(str(number), "EncodedSample") for number in range(count)]


def test_failures_pass_through_in_their_place() -> None:
    failure = ViewFailure("1", "draw", MemoryError())
    drawn: list[Sample | ViewFailure] = [make_sample(0), failure, make_sample(2)]
    made = list(encode_behind(iter(drawn), RenderSettings()))
    assert kinds_of(made) == [("0", "EncodedSample"), ("1", "ViewFailure"), ("2", "EncodedSample")]
    assert made[1] is failure


def test_a_sample_that_cannot_be_encoded_fails_alone() -> None:
    drawn = iter([make_sample(0), make_sample(1, side=0), make_sample(2)])
    made = list(encode_behind(drawn, RenderSettings()))
    assert kinds_of(made) == [("0", "EncodedSample"), ("1", "ViewFailure"), ("2", "EncodedSample")]
    assert isinstance(made[1], ViewFailure)
    assert made[1].stage == "encode"


def test_few_samples_wait_however_fast_the_drawing() -> None:
    drawn: list[int] = []

    def draw() -> Iterator[Sample]:
        for number in range(20):
            drawn.append(number)
            yield make_sample(number)

    made = encode_behind(draw(), RenderSettings())
    next(made)
    assert len(drawn) <= 3
