import numpy as np
import pytest

from schemas.pairing import PairSettings
from tasks.video.choosing import FramePairs, PairFinder, Tally
from tasks.video.matching import BodyPixels, list_body_pixels
from tests.tasks.video.sequence_files import PARTS, paint_iuv

WHOLE = list_body_pixels(paint_iuv())


def without_parts(count: int) -> BodyPixels:
    """Take some parts away."""
    iuv = paint_iuv()
    iuv[np.isin(iuv[..., 0], PARTS[:count])] = 0
    return list_body_pixels(iuv)


def choose(frames: dict[int, BodyPixels], **settings: object) -> dict[int, FramePairs]:
    finder = PairFinder(PairSettings.model_validate(settings))
    found = [pairs for number, body in frames.items() for pairs in finder.add(number, body)]
    found += finder.finish()
    return {pairs.frame: pairs for pairs in found}


def neighbours(pairs: FramePairs) -> list[int]:
    return [number for number, _ in pairs.neighbours]


def test_the_nearest_four_come_first_the_later_before_the_earlier() -> None:
    found = choose(dict.fromkeys(range(100, 140), WHOLE))
    assert neighbours(found[120]) == [123, 117, 126, 114]


def test_at_the_ends_neighbours_come_from_one_side() -> None:
    found = choose(dict.fromkeys(range(100, 140), WHOLE))
    assert neighbours(found[100]) == [103, 106, 109, 112]
    assert neighbours(found[139]) == [136, 133, 130, 127]


def test_strides_count_in_frame_numbers_not_in_places() -> None:
    found = choose(dict.fromkeys((5, 7, 8, 20), WHOLE))
    assert {number: neighbours(pairs) for number, pairs in found.items()} == {
        5: [8], 7: [], 8: [5, 20], 20: [8],
    }  # fmt: skip


def test_the_widest_policy_takes_the_farthest() -> None:
    found = choose(dict.fromkeys(range(100, 140), WHOLE), policy="widest")
    assert neighbours(found[120]) == [132, 108, 129, 111]


def test_the_widest_policy_passes_over_what_does_not_overlap() -> None:
    frames = dict.fromkeys(range(100, 140), WHOLE) | {132: without_parts(3)}
    assert neighbours(choose(frames, policy="widest")[120]) == [108, 129, 111, 126]


def test_the_overlap_policy_takes_what_shares_most() -> None:
    frames = {number: without_parts(1) for number in range(100, 140)} | {120: WHOLE, 111: WHOLE}
    assert neighbours(choose(frames, policy="overlap", neighbours=2, min_neighbours=1)[120]) == [
        111, 123,
    ]  # fmt: skip


@pytest.mark.parametrize(("gone", "count"), [(1, 1), (2, 0)])
def test_neighbours_share_at_least_five_parts(gone: int, count: int) -> None:
    found = choose({1: WHOLE, 4: without_parts(gone)})
    assert len(found[1].neighbours) == count


@pytest.mark.parametrize(("min_shared", "count"), [(239, 1), (240, 0)])
def test_a_shared_part_has_more_than_so_many_matches(min_shared: int, count: int) -> None:
    found = choose({1: WHOLE, 4: WHOLE}, min_shared=min_shared)
    assert len(found[1].neighbours) == count


def test_frames_leave_as_soon_as_their_neighbours_are_known() -> None:
    finder = PairFinder(PairSettings())
    left = [[pairs.frame for pairs in finder.add(number, WHOLE)] for number in range(0, 30, 3)]
    assert left == [[], [], [], [], [0], [3], [6], [9], [12], [15]]


def test_what_is_remembered_does_not_grow_with_the_video() -> None:
    finder = PairFinder(PairSettings(min_part_matches=1, min_shared=0))
    body = list_body_pixels(paint_iuv()[90:130:4, 80:170:6])
    for number in range(500):
        list(finder.add(number, body))
    assert len(finder._within_reach) <= 2 * 12 + 2


def refuse(frames: dict[int, BodyPixels], **settings: object) -> str:
    tally = Tally()
    for pairs in choose(frames, **settings).values():
        tally.note(pairs)
    return str(tally.refuse("dance", PairSettings.model_validate(settings)))


@pytest.mark.parametrize(
    ("frames", "hint"),
    [
        ({1: WHOLE, 4: WHOLE, 7: WHOLE}, "--min-neighbours 2 would admit it"),
        ({1: WHOLE, 4: WHOLE, 7: without_parts(3)}, "--min-neighbours 1 would admit it"),
        ({1: WHOLE, 4: without_parts(3)}, "--min-parts 3 --min-neighbours 1 would admit it"),
        ({1: WHOLE, 3: WHOLE, 5: WHOLE}, "give --step and --reach that fit"),
        ({1: WHOLE, 4: without_parts(6)}, "Its frames share too little"),
    ],
    ids=["two each", "one each", "few parts", "other strides", "nothing shared"],
)
def test_a_refused_video_is_named_with_the_setting_that_would_admit_it(
    frames: dict[int, BodyPixels], hint: str
) -> None:
    message = refuse(frames)
    assert message.startswith(f"dance: 0 of {len(frames)} frames with 4 neighbours; expected")
    assert hint in message


def test_the_setting_that_is_named_does_admit_the_video() -> None:
    found = choose({1: WHOLE, 4: without_parts(3)}, min_parts=3, min_neighbours=1)
    assert [len(pairs.neighbours) for pairs in found.values()] == [1, 1]
