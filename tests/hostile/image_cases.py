"""Hostile images: textures of scans, and backgrounds in one folder."""

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

from tests.hostile.mesh_cases import Write, data, link_to, make_fifo, sparse, text
from tests.hostile.mutations import mutate
from tests.tasks.scan_folders import write_scan

MUTATED_TEXTURES, MUTATED_BACKGROUNDS = 18, 18


def png(width: int, height: int, *, depth: int = 8, kind: int = 2, body: bytes = b"") -> bytes:
    """Return a PNG of this header; body: what is compressed in its only IDAT."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(body)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts
    )  # fmt: skip


def bmp(width: int, height: int, *, compression: int, body: bytes) -> bytes:
    """Return a BMP of 8 bits a pixel; compression 1 is run length."""
    palette = bytes(range(256)) * 4
    start = 54 + len(palette)
    head = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start)
    info = struct.pack(
        "<IiiHHIIiiII", 40, width, height, 1, 8, compression, len(body), 0, 0, 256, 0
    )
    return head + info + palette + body


def gif(width: int, height: int) -> bytes:
    """Return a GIF of one frame whose pixels are cut off."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02L\x01\0;"


def tiff(width: int, height: int) -> bytes:
    """Return a TIFF whose header says this size and whose pixels are missing."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 200),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, width * height & 0xFFFFFFFF),
    ]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0" * 64


RUNS = b"\xff\x07" * 128 + b"\0\0"
IMAGES: dict[str, Write] = {
    "empty": text(""),
    "text": text("no image"),
    "html": text("<html><body>404</body></html>"),
    "svg-with-entity": text('<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'),
    "png-header-alone": data(b"\x89PNG\r\n\x1a\n"),
    "png-giant": data(png(60_000, 60_000)),
    "png-endless": data(png(2**31 - 1, 2**31 - 1)),
    "png-of-no-size": data(png(0, 0)),
    "png-bomb": data(png(30_000, 30_000, depth=1, kind=0, body=b"\0" * (3_751 * 30_000))),
    "png-16-bit-cut": data(png(64, 64, depth=16, body=b"\0" * 100)),
    "png-impossible-kind": data(png(64, 64, kind=9)),
    "bmp-rle-bomb": data(bmp(32_768, 32_768, compression=1, body=RUNS * 64)),
    "bmp-negative": data(bmp(-64, 64, compression=0, body=b"\0" * 64)),
    "bmp-turned-giant": data(bmp(32_768, -2_147_483_648, compression=1, body=RUNS)),
    "gif-giant": data(gif(65_535, 65_535)),
    "gif-cut": data(gif(640, 640)[:20]),
    "tiff-giant": data(tiff(200_000, 200_000)),
    "tiff-loop": data(b"II*\0\x08\0\0\0\x01\0" + b"\0" * 12 + b"\x08\0\0\0"),
    "jpeg-giant": data(
        b"\xff\xd8\xff\xc0\0\x11\x08\xff\xff\xff\xff\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9"
    ),
    "jpeg-marker-alone": data(b"\xff\xd8"),
    "webp-cut": data(b"RIFF\xff\xff\xff\x7fWEBPVP8L\x10\0\0\0\x2f\xff\xff\xff\xff"),
    "exr-cut": data(b"v/1\x01\x02\0\0\0channels\0chlist\0"),
    "hdr-giant": text("#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 100000 +X 100000\n"),
    "pnm-giant": text("P6\n100000 100000\n255\n"),
    "sparse-giant": sparse(b"\xff\xd8\xff\xe0", 3 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    "link-to-itself": lambda path: path.symlink_to(path),
}


def write_texture_cases(root: Path) -> list[str]:
    """Write a scan a case below a data root, each with a hostile texture; returns their names."""
    written = []
    for name, write in _with_mutations(MUTATED_TEXTURES, side=64).items():
        item = f"rp_texture-{name}_posed_001"
        texture = write_scan(root, item) / "tex" / f"{item}_dif_8k.jpg"
        texture.unlink()
        write(texture)
        written.append(item)
    return written


def write_background_cases(folder: Path) -> list[str]:
    """Write hostile backgrounds, one of a name that is not UTF-8; returns their names."""
    (folder / "rooms").mkdir(parents=True)
    names = []
    for name, write in _with_mutations(MUTATED_BACKGROUNDS, side=256).items():
        write(folder / "rooms" / f"{name}.jpg")
        names.append(f"rooms/{name}.jpg")
    foreign = os.fsencode(folder / "rooms") + b"/caf\xe9.jpg"
    with open(foreign, "wb") as file:  # noqa: PTH123 - pathlib takes no bytes
        file.write(_jpeg(256, 1))
    return [*names, "rooms/caf\\xe9.jpg"]


def write_good_background(folder: Path, name: str) -> None:
    """Write a room that nothing is wrong with."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(_jpeg(256, 2))


def _with_mutations(count: int, *, side: int) -> dict[str, Write]:
    whole = _jpeg(side, 0)
    return {**IMAGES, **{f"mutated-{n}": data(mutate(whole, n)) for n in range(count)}}


def _jpeg(side: int, seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (side, side, 3)).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1])
