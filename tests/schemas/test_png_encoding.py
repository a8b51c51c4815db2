"""PNG files by our encoder, read by two other libraries."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from schemas.png_encoding import encode_8bit

SHAPES = [(1, 1, 3), (7, 5, 3), (64, 33, 3), (1, 1), (9, 4), (33, 64)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", ["noise", "black", "ramp"])
def test_other_readers_find_the_same_pixels(shape: tuple[int, ...], kind: str) -> None:
    random = np.random.default_rng(len(shape))
    image = {
        "noise": random.integers(0, 256, shape).astype(np.uint8),
        "black": np.zeros(shape, np.uint8),
        "ramp": np.arange(np.prod(shape)).reshape(shape).astype(np.uint8),
    }[kind]
    data = encode_8bit(image)
    read = Image.open(io.BytesIO(data))
    read.load()
    assert read.mode == ("RGB" if len(shape) == 3 else "L")
    np.testing.assert_array_equal(np.asarray(read), image)
    flags = cv2.IMREAD_COLOR_RGB if len(shape) == 3 else cv2.IMREAD_GRAYSCALE
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), flags), image)


def test_a_person_on_black_is_about_as_small_as_opencv_makes_it() -> None:
    image = np.zeros((512, 512, 3), np.uint8)
    across = np.linspace(0, 6, 200)
    wave = 100 + 60 * np.sin(across)[:, None] * np.cos(across)
    image[100:300, 150:350] = wave[..., None].astype(np.uint8)
    _, other = cv2.imencode(".png", image)
    assert len(encode_8bit(image)) < 1.3 * len(other)


def test_a_part_of_an_image_is_encoded_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    part = image[3:17:2, 5:25]
    read = np.asarray(Image.open(io.BytesIO(encode_8bit(part))))
    np.testing.assert_array_equal(read, part)
