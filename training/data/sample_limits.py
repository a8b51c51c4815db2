"""What a sample may hold: checked when it is read, before it can spoil weights without a word.

One pass over an array for its minimum and one for its maximum; NaN lies outside every range.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from schemas.errors import InputError
from schemas.wording import shorten_text

MAX_SIZE = 1e6
"""Of a focal length in pixels and of a scene unit in metres: above it, it is no size."""

_HINT = "Run `scanmill validate` on the data set, then `scanmill rerun --deep`."


def check_range(
    sample_id: str, what: str, values: np.ndarray | float, *, low: float, high: float
) -> None:
    """Raise InputError naming the sample when a value is not in low..high, or is no number."""
    lowest, highest = float(np.min(values)), float(np.max(values))
    if low <= lowest and highest <= high:  # both are False for NaN
        return
    is_number = np.isfinite(lowest) and np.isfinite(highest)
    raise InputError(
        sample_id, found=f"{what} from {lowest:.4g} to {highest:.4g}" if is_number
        else f"{what} with values that are no finite numbers",
        expected=f"{low:g} to {high:g}", hint=_HINT,
    )  # fmt: skip


def check_size(sample_id: str, what: str, value: float) -> None:
    """Raise InputError naming the sample when a size is not positive and finite."""
    check_range(sample_id, what, value, low=1 / MAX_SIZE, high=MAX_SIZE)


def check_shape(sample_id: str, what: str, values: np.ndarray, side: int) -> None:
    """Raise InputError naming the sample when a map is not `side` x `side` pixels."""
    if values.shape[:2] != (side, side):
        raise InputError(
            sample_id, found=f"{what} of {values.shape[1]} x {values.shape[0]} pixels",
            expected=f"{side} x {side}", hint=_HINT,
        )  # fmt: skip


@contextmanager
def decoding(sample_id: str) -> Iterator[None]:
    """Turn what decoding untrusted columns raises into an InputError that names the sample."""
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, cv2.error) as error:
        raise InputError(
            sample_id, found=shorten_text(f"{type(error).__name__}: {error}"),
            expected="the columns of a sample", hint=_HINT,
        ) from error  # fmt: skip
