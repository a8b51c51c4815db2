"""How small a texture may be: on planes whose texels and pixels can be counted."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tasks.scans.geometry import Geometry
from tasks.scans.texture_scale import choose_reduction, texels_a_pixel
from tasks.scans.textures import read_texture

SQUARE = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)], float)
FACES = np.array([(0, 1, 2), (0, 2, 3)], np.int32)
WHOLE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)


def plane(*, height: float = 1.0, uv: np.ndarray | None = WHOLE) -> Geometry:
    uv_faces = None if uv is None else FACES
    return Geometry(vertices=SQUARE * height, faces=FACES, uv=uv, uv_faces=uv_faces)


@pytest.mark.parametrize("height", [1.0, 180.0])
def test_a_plane_that_fills_the_image_shows_its_texture_once(height: float) -> None:
    assert texels_a_pixel(plane(height=height), 512) == pytest.approx(1 / 512)


def test_a_plane_with_half_of_the_texture_a_side_shows_half_of_the_texels() -> None:
    assert texels_a_pixel(plane(uv=WHOLE / 2), 512) == pytest.approx(0.5 / 512)


@pytest.mark.parametrize("uv", [None, WHOLE * 0, np.zeros((0, 2), np.float32)])
def test_a_mesh_without_texture_coordinates_keeps_its_texture(uv: np.ndarray | None) -> None:
    geometry = plane(uv=uv) if uv is None or len(uv) else Geometry(vertices=SQUARE, faces=FACES)
    assert choose_reduction(texels_a_pixel(geometry, 512), 8192, 8192) == 1


@pytest.mark.parametrize(
    ("texels", "width", "height", "expected"),
    [(3.4, 4096, 4096, 1), (3.5, 4096, 4096, 2), (7, 4096, 4096, 4), (99, 4096, 4096, 8),
     (99, 4092, 4096, 4), (99, 4095, 4096, 1)],
)  # fmt: skip
def test_nearly_two_texels_a_pixel_are_kept_and_sides_stay_whole(
    texels: float, width: int, height: int, expected: int
) -> None:
    assert choose_reduction(texels / min(width, height), width, height) == expected


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("by", [1, 2, 4, 8])
def test_a_reduced_texture_has_the_means_of_its_texels(
    tmp_path: Path, suffix: str, by: int
) -> None:
    across = np.linspace(0, 5, 256)
    image = (128 + 100 * np.sin(across)[:, None] * np.cos(across)).astype(np.uint8)
    image = np.dstack([image, 255 - image, image // 2])
    path = tmp_path / f"texture{suffix}"
    cv2.imwrite(str(path), image[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 98))
    reduced = read_texture(path, reduce=lambda _width, _height: by).astype(int)
    means = image.reshape(256 // by, by, 256 // by, by, 3).mean(axis=(1, 3))
    assert reduced.shape == means.shape
    assert np.abs(reduced - means).mean() < 1
