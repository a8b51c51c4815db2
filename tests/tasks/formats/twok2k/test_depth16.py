import numpy as np
import pytest

from schemas.camera import camera_2k2k
from schemas.errors import InputError, RequestError
from tasks.formats.twok2k.depth16 import decode_depth16, encode_depth16, refuse_resolution

CAMERA = camera_2k2k(2048)


def _map(length: float) -> np.ndarray:
    return np.full((1, 1), length, np.float32)


def test_length_one_is_stored_as_sixteen_times_the_resolution() -> None:
    assert encode_depth16(_map(1.0), CAMERA, is_front=True)[0, 0] == 16 * 2048


def test_one_unit_is_1_over_32_f() -> None:
    length = np.float32(1 + 100.5 / (32 * 2195.975))
    assert encode_depth16(_map(float(length)), CAMERA, is_front=True)[0, 0] == 16 * 2048 + 100


def test_no_surface_is_stored_as_0_and_read_as_0() -> None:
    stored = encode_depth16(_map(0.0), CAMERA, is_front=False)
    assert stored[0, 0] == 0
    assert decode_depth16(stored, CAMERA)[0, 0] == 0


def test_decoding_is_right_to_half_a_unit() -> None:
    lengths = np.linspace(0.6, 1.4, 4096, dtype=np.float32).reshape(64, 64)
    decoded = decode_depth16(encode_depth16(lengths, CAMERA, is_front=False), CAMERA)
    # float32 resolves a hundredth of a unit
    assert np.abs(decoded - lengths).max() <= 0.51 / (32 * 2195.975)


def test_a_front_beyond_the_published_bound_stays_0() -> None:
    beyond = float(np.float32(1 + 1025 / 2195.975))
    assert encode_depth16(_map(beyond), CAMERA, is_front=True)[0, 0] == 0


@pytest.mark.parametrize(("length", "is_front"), [(1.5, False), (0.5, False), (0.5, True)])
def test_what_does_not_fit_is_refused_never_wrapped(length: float, is_front: bool) -> None:
    with pytest.raises(
        InputError, match=r"1 lengths that would be stored as .*expected 1 to 65535"
    ):
        encode_depth16(_map(length), CAMERA, is_front=is_front)


def test_resolutions_above_2048_are_refused_even_when_others_are_allowed() -> None:
    with pytest.raises(RequestError, match="sixteen bits can't hold the depth"):
        refuse_resolution(2056, allow_other=True)
