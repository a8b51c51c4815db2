import pytest

from schemas.errors import RequestError
from tasks.formats.hdnet.hdnet_layout import choose_shifts


def test_the_first_video_keeps_its_numbers() -> None:
    assert choose_shifts({"a": [17634, 17637]}) == {"a": 0}


def test_each_other_begins_at_the_next_multiple_of_ten_thousand() -> None:
    videos = {"a": [17634, 17640], "b": [5, 8], "c": [100, 30100]}
    shifts = choose_shifts(videos)
    starts = {key: numbers[0] + shifts[key] for key, numbers in videos.items()}
    assert starts == {"a": 17634, "b": 20000, "c": 30000}


def test_ranges_never_touch_even_at_a_boundary() -> None:
    shifts = choose_shifts({"a": [0, 19999], "b": [0, 20000], "c": [7]})
    assert shifts == {"a": 0, "b": 20000, "c": 50000 - 7}


def test_a_first_video_of_longer_numbers_is_moved() -> None:
    assert choose_shifts({"a": [12345678, 12345681]}) == {"a": -12345678}


def test_a_video_beyond_seven_digits_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="dance: frame numbers up to 10000005") as refusal:
        choose_shifts({"a": [9990000], "dance": [0, 5]})
    assert "9999999" in refusal.value.expected


def test_a_video_whose_own_numbers_span_too_much_is_refused() -> None:
    with pytest.raises(RequestError, match="frame numbers up to 20000000"):
        choose_shifts({"a": [0, 20_000_000]})
