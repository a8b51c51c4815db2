"""`--accept-rejects`: numbers and shares."""

import pytest

from schemas.errors import RequestError
from schemas.tolerance import Tolerance


@pytest.mark.parametrize(
    ("text", "rejected", "total", "accepted"),
    [
        ("0", 0, 10, True),
        ("0", 1, 10, False),
        ("5", 5, 10, True),
        ("5", 6, 10, False),
        ("2%", 2, 100, True),
        ("2%", 3, 100, False),
        ("2%", 1, 49, False),
        ("2.5%", 5, 200, True),
        ("100%", 7, 7, True),
    ],
)
def test_tolerance_accepts_up_to_its_number_or_share(
    text: str, rejected: int, total: int, *, accepted: bool
) -> None:
    assert Tolerance.parse(text).accepts(rejected, total) is accepted


@pytest.mark.parametrize("text", ["", "few", "-1", "101%", "%", "1e3", "1.5"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="--accept-rejects"):
        Tolerance.parse(text)
