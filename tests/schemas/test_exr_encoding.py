"""OpenEXR files by our encoder, read by OpenEXR itself."""

import io
from typing import Any

import numpy as np
import OpenEXR
import pytest

from schemas.exr_encoding import encode_zip

SHAPES = [(1, 1), (15, 7), (16, 3), (33, 64), (48, 20)]
NAMES = ("front.Z", "back.Z", "Z")


def planes_of(shape: tuple[int, int], kind: str, precision: type) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    made = {
        "noise": lambda: random.standard_normal(shape),
        "black": lambda: np.zeros(shape),
        "ramp": lambda: np.linspace(0.5, 2, shape[0] * shape[1]).reshape(shape),
    }[kind]
    return {name: made().astype(precision) for name in NAMES}


def read(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    file = OpenEXR.File(io.BytesIO(data), separate_channels=True)
    return file.header(), {name: one.pixels for name, one in file.channels().items()}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["noise", "black", "ramp"])
@pytest.mark.parametrize("precision", [np.float16, np.float32])
def test_openexr_reads_the_same_bits(shape: tuple[int, int], kind: str, precision: type) -> None:
    planes = planes_of(shape, kind, precision)
    rows, columns = shape
    data, display = (3, 5, columns + 2, rows + 4), (0, 0, columns + 9, rows + 9)
    header, found = read(encode_zip(planes, data=data, display=display))
    assert header["compression"] == OpenEXR.ZIP_COMPRESSION
    assert np.array(header["dataWindow"]).ravel().tolist() == list(data)
    assert np.array(header["displayWindow"]).ravel().tolist() == list(display)
    assert found.keys() == planes.keys()
    for name, plane in planes.items():
        assert found[name].dtype == precision
        assert found[name].tobytes() == plane.tobytes()


def test_the_header_says_what_openexr_s_own_says() -> None:
    planes = planes_of((20, 30), "ramp", np.float32)
    window = (np.array([0, 0], np.int32), np.array([29, 19], np.int32))
    own = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    buffer = io.BytesIO()
    OpenEXR.File(own | {"dataWindow": window, "displayWindow": window}, dict(planes)).write(buffer)
    expected, _ = read(buffer.getvalue())
    header, _ = read(encode_zip(planes, data=(0, 0, 29, 19), display=(0, 0, 29, 19)))
    assert {name: str(value) for name, value in header.items() if name != "channels"} == {
        name: str(value) for name, value in expected.items() if name != "channels"
    }
    assert [str(one) for one in header["channels"]] == [str(one) for one in expected["channels"]]


def test_a_smooth_surface_is_about_as_small_as_openexr_makes_it() -> None:
    across = np.linspace(-1, 1, 300, dtype=np.float32)
    planes = {"Z": 1 + 0.3 * np.hypot(across, across[:, None])}
    buffer = io.BytesIO()
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, dict(planes)).write(buffer)
    window = (0, 0, 299, 299)
    ours = encode_zip(planes, data=window, display=window)
    assert len(ours) < 1.2 * len(buffer.getvalue())
