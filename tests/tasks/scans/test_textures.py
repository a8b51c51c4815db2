from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from schemas.errors import InputError
from schemas.size_limits import MAX_TEXTURE_SIDE_PX, ImageHeader
from tasks.scans.textures import probe_texture, read_header, read_texture
from tests.fixtures_meshes import encode_image

QUARTERS = np.zeros((16, 24, 3), np.uint8)
QUARTERS[:8, :12], QUARTERS[:8, 12:] = (255, 0, 0), (0, 255, 0)
QUARTERS[8:, :12], QUARTERS[8:, 12:] = (0, 0, 255), (255, 255, 255)
"""Red, green over blue, white; 24 x 16 pixels."""


def save(path: Path, image: Image.Image, kind: str, **options: object) -> Path:
    image.save(path, kind, **options)
    return path


def test_a_png_is_read_exactly(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(QUARTERS), "PNG")
    np.testing.assert_array_equal(read_texture(path), QUARTERS)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}])
def test_a_jpeg_is_rgb_with_its_first_row_on_top(
    tmp_path: Path, options: dict[str, object]
) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(QUARTERS), "JPEG", quality=95, **options)
    corners = read_texture(path)[[2, 2, -3, -3], [2, -3, 2, -3]].astype(int)
    expected = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]])
    assert np.abs(corners - expected).max() <= 8


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(QUARTERS), "PNG")
    np.testing.assert_array_equal(read_texture(path), QUARTERS)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_png_with_alpha_or_palette_is_rgb(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(QUARTERS).convert(mode), "PNG")
    np.testing.assert_array_equal(read_texture(path), QUARTERS)


def test_a_transparent_pixel_keeps_its_color(tmp_path: Path) -> None:
    pixels = np.dstack([QUARTERS, np.zeros((16, 24), np.uint8)])
    path = save(tmp_path / "a.png", Image.fromarray(pixels), "PNG")
    np.testing.assert_array_equal(read_texture(path), QUARTERS)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_repeated_in_three_channels(tmp_path: Path, mode: str) -> None:
    ramp = np.arange(16 * 24, dtype=np.int64).reshape(16, 24).astype(np.uint8)
    path = save(tmp_path / "a.png", Image.fromarray(ramp).convert(mode), "PNG")
    np.testing.assert_array_equal(read_texture(path), np.dstack([ramp] * 3))


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", QUARTERS[..., ::-1].astype(np.uint16) * 257)[1].tobytes())
    np.testing.assert_array_equal(read_texture(path), QUARTERS)


def test_a_cmyk_jpeg_is_rgb(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg", Image.fromarray(QUARTERS).convert("CMYK"), "JPEG", quality=95)
    corners = read_texture(path)[[2, 2, -3, -3], [2, -3, 2, -3]].astype(int)
    expected = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]])
    assert np.abs(corners - expected).max() <= 8


def test_an_orientation_tag_turns_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", Image.fromarray(QUARTERS), "JPEG", exif=exif.tobytes())
    assert read_texture(path).shape == (16, 24, 3)


@pytest.mark.parametrize(("ending", "kind"), [(".jpg", "jpeg"), (".png", "png")])
def test_a_look_tells_the_size(tmp_path: Path, ending: str, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(encode_image(QUARTERS, ending))
    header = probe_texture(path)
    assert (header.format, header.width, header.height) == (kind, 24, 16)


@pytest.mark.parametrize("ending", [".jpg", ".png"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.995])
@pytest.mark.parametrize("read", [read_texture, probe_texture])
def test_a_cut_image_is_refused(tmp_path: Path, ending: str, part: float, read: type) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    data = encode_image(noise, ending)
    path = tmp_path / "a"
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(
        InputError, match=r"without its end: it was cut; expected a whole JPEG or PNG"
    ):
        read(path)


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_image(tmp_path: Path) -> None:
    exif = b"Exif\0\0" + encode_image(QUARTERS, ".jpg")
    path = save(tmp_path / "a.jpg", Image.fromarray(QUARTERS), "JPEG", exif=exif)
    data = path.read_bytes()
    assert probe_texture(path) == ImageHeader("jpeg", 24, 16)
    path.write_bytes(data[:-40])
    with pytest.raises(InputError, match="it was cut"):
        probe_texture(path)


@pytest.mark.parametrize("extra", [b"\0" * 100, b"\xff", b"trailing"])
@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_bytes_behind_the_end_do_no_harm(tmp_path: Path, ending: str, extra: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(encode_image(QUARTERS, ending) + extra)
    assert read_texture(path).shape == (16, 24, 3)


def test_a_png_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    data = bytearray(encode_image(QUARTERS, ".png"))
    data[data.index(b"IDAT") + 10] ^= 0xFF
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a PNG whose 'IDAT' chunk at byte \d+ is damaged"):
        read_texture(path)


def test_a_jpeg_without_coded_data_is_refused(tmp_path: Path) -> None:
    data = encode_image(QUARTERS, ".jpg")
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: data.index(b"\xff\xda")] + b"\xff\xd9")
    with pytest.raises(InputError, match="jpeg data that is damaged"):
        read_texture(path)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<!DOCTYPE html><html>404</html>", "an HTML page"),
        (b"\n  <HTML><body>", "an HTML page"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "a Git LFS pointer",
        ),
        (b"plain text", "neither JPEG nor PNG: it begins with b'plain text'"),
        (b"GIF89a", "neither JPEG nor PNG"),
        (b"\xff\xd8\xff\xd9", "a JPEG of 4 bytes without its end"),
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(InputError, match=found):
        read_texture(path)


@pytest.mark.parametrize("size", [(0, 8), (8, 0), (MAX_TEXTURE_SIDE_PX + 1, 8), (8, 2**31)])
def test_absurd_sizes_are_refused_before_decoding(tmp_path: Path, size: tuple[int, int]) -> None:
    data = bytearray(encode_image(QUARTERS, ".png"))
    data[16:24] = size[0].to_bytes(4, "big") + size[1].to_bytes(4, "big")
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(InputError, match=rf"{size[0]} x {size[1]} pixels; expected 1 to 16384"):
        probe_texture(path)


def test_a_missing_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.jpg: no such file"):
        read_texture(tmp_path / "a.jpg")


def test_damaged_images_are_read_or_refused(tmp_path: Path) -> None:
    rng, data = np.random.default_rng(1), encode_image(QUARTERS, ".jpg")
    path = tmp_path / "a.jpg"
    outcomes = set()
    for _ in range(200):
        broken = bytearray(data)
        broken[int(rng.integers(2, len(data)))] = int(rng.integers(256))
        path.write_bytes(broken)
        try:
            outcomes.add(read_texture(path).dtype.name)
        except InputError:
            outcomes.add("refused")
    assert outcomes == {"uint8", "refused"}


def test_a_short_file_with_a_jpeg_start_is_refused() -> None:
    with pytest.raises(InputError, match="it was cut"):
        read_header(b"\xff\xd8\xff\xc0\x00\x11", "a.jpg", check_sums=False)
