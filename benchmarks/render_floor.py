"""Where a scan's time goes, and what the same bytes cost at least.

    python -m benchmarks.render_floor DATA [--item NAME] [--resolution 2048] [--rounds 3]

Renders one scan in this process, seven views with all outputs, and counts each step (`--profile`
does the same in a run). Then the floor: what the libraries take by themselves for the same bytes in
the same process, and what the device takes to draw, waited for pass by pass. Processor seconds, the
best round of each, because machines are shared; the last lines are to hold against the target.
"""

import argparse
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import get_args

import cv2
import numpy as np
import OpenEXR
from isal import isal_zlib

from benchmarks.guard import hold
from benchmarks.whole_scan import Rendered, Work, render_scan
from schemas.codecs import (
    DEPTH_CHANNELS,
    NORMAL_CHANNELS,
    decode_depth,
    decode_image,
    decode_normals,
)
from schemas.exr_compression import EXR_CODECS, ExrCompression
from schemas.exr_encoding import plain_blocks, predict
from schemas.profiling import DRIVER, ProfileTable
from schemas.regular_files import read_whole
from schemas.settings import RenderSettings
from schemas.size_limits import MAX_IMAGE_BYTES
from tasks.backgrounds import Backgrounds, freeze_backgrounds
from tasks.dataset.shards import Row
from tasks.machine.kept_memory import keep_freed_memory

PNG_COLUMNS = ("color_front", "color_back", "shaded", "mask", "iuv")
DRAWING = "draw, all passes"
DRAWN = ("draw visibility", "draw surface", "draw lit.frag", "draw iuv.frag", DRIVER)


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """Return the least processor seconds of some rounds."""
    spent = []
    for _ in range(rounds):
        began = process_time()
        work()
        spent.append(process_time() - began)
    return min(spent)


def floors(work: Work, rendered: Rendered, rounds: int) -> dict[str, float]:
    """Return what each step's bytes cost by themselves, in processor seconds a scan."""
    rows = rendered.rows
    blobs = [_blob(row[name]) for row in rows for name in row if _is_bytes(row[name])]
    return {
        "decode texture": best_of(rounds, _texture_decoder(work)),
        "encode PNG": sum(
            best_of(rounds, _deflater(decode_image(_blob(row[name]))))
            for row in rows for name in PNG_COLUMNS if row.get(name)
        ),
        "encode JPEG": sum(best_of(rounds, _jpeg(row, work)) for row in rows),
        "encode EXR": sum(
            best_of(rounds, write)
            for row in rows for write in _exr_writers(row, work.settings.exr_compression)
        ),
        "hash": best_of(rounds, lambda: [hashlib.sha256(blob).digest() for blob in blobs]),
        "write": best_of(rounds, lambda: _write(blobs)),
        DRAWING: sum(
            rendered.table.spent[name].cpu for name in DRAWN if name in rendered.table.spent
        ),
    }  # fmt: skip


def ours(table: ProfileTable) -> dict[str, float]:
    """Return the processor seconds of the same steps as we do them, and of all others."""
    cpu = {name: one.cpu for name, one in table.spent.items()}
    steps = {
        "decode texture": cpu.pop("decode texture", 0.0),
        "encode PNG": sum(cpu.pop(f"encode {name}", 0.0) for name in PNG_COLUMNS),
        "encode JPEG": cpu.pop("encode image", 0.0),
        "encode EXR": cpu.pop("encode depth", 0.0) + cpu.pop("encode normals", 0.0),
        "hash": cpu.pop("hash shard", 0.0),
        "write": cpu.pop("write file", 0.0) + cpu.pop("write", 0.0),
        DRAWING: sum(cpu.pop(name, 0.0) for name in DRAWN),
    }
    others = dict(sorted(cpu.items(), key=lambda one: -one[1]))
    counted = sum(steps.values()) + sum(others.values())
    return steps | others | {"between the steps": max(0.0, table.cpu - counted)}


def print_tables(table: ProfileTable, floor: dict[str, float], target: float) -> None:
    """Print both, step by step, and the sums."""
    mine = ours(table)
    print(f"{'processor seconds a scan':32}{'ours':>10}{'floor':>10}{'ratio':>8}")
    for name, spent in mine.items():
        least = floor.get(name)
        ratio = f"{spent / least:8.2f}" if least else ""
        print(f"{name:32}{spent:10.3f}" + (f"{least:10.3f}" if least else " " * 10) + ratio)
    least = sum(floor.values())
    print(f"{'all':32}{table.cpu:10.2f}{least:10.2f}{table.cpu / least:8.2f}")
    print(f"a scan: {table.cpu:.2f} processor seconds, {table.cpu / least:.2f} times the floor")
    hold("render.floor", least / table.cpu)
    print(f"target: at most {target} processor seconds and 1.3 times the floor")


def _is_bytes(value: object) -> bool:
    return isinstance(value, bytes) or (isinstance(value, dict) and bool(value.get("bytes")))


def _blob(value: object) -> bytes:
    found = value["bytes"] if isinstance(value, dict) else value
    return bytes(found) if isinstance(found, bytes) else b""


def _texture_decoder(work: Work) -> Callable[[], object]:
    from tasks.scans.layouts import find_scan  # noqa: PLC0415
    from tasks.scans.scan_mesh import list_textures, read_outline  # noqa: PLC0415
    from tasks.scans.texture_scale import choose_reduction, texels_a_pixel  # noqa: PLC0415
    from tasks.scans.textures import read_header  # noqa: PLC0415

    outline = read_outline(find_scan(work.data, work.ref.dataset, work.ref.item))
    (path, *_) = list_textures(outline)
    data = read_whole(path, MAX_IMAGE_BYTES)
    header = read_header(data, str(path), check_sums=False)
    share = texels_a_pixel(outline.geometry, work.settings.resolution)
    by = choose_reduction(share, header.width, header.height)
    gray = {1: 0, 2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4}
    flags = cv2.IMREAD_COLOR_RGB | gray.get(by, cv2.IMREAD_REDUCED_GRAYSCALE_8)
    coded = np.frombuffer(data, np.uint8)
    return lambda: cv2.imdecode(coded, flags)


def _deflater(image: np.ndarray) -> Callable[[], object]:
    """Compress filtered rows that are there already."""
    rows = image.reshape(image.shape[0], -1)
    filtered = np.diff(rows, axis=0, prepend=np.zeros_like(rows[:1]))
    return lambda: isal_zlib.compress(filtered, 1)


def _jpeg(row: Row, work: Work) -> Callable[[], object]:
    image = np.ascontiguousarray(decode_image(_blob(row["image"]))[..., ::-1])
    options = (
        cv2.IMWRITE_JPEG_QUALITY, work.settings.jpeg_quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    )  # fmt: skip
    return lambda: cv2.imencode(".jpg", image, options)


def _exr_writers(row: Row, compression: ExrCompression) -> list[Callable[[], object]]:
    """Write the window's channels that are there already."""
    front, back = decode_depth(_blob(row["depth"]))
    top, left = (np.flatnonzero((front > 0).any(axis=axis))[[0, -1]] for axis in (1, 0))
    window = np.s_[top[0] : top[1] + 1, left[0] : left[1] + 1]
    normals = decode_normals(_blob(row["normals"]))
    planes = [surface[..., axis] for surface in normals for axis in range(3)]
    depth = zip(DEPTH_CHANNELS, (front, back), strict=True)
    halves = zip(NORMAL_CHANNELS, planes, strict=True)
    channels = (
        {name: np.ascontiguousarray(plane[window]) for name, plane in depth},
        {name: np.ascontiguousarray(plane[window], np.float16) for name, plane in halves},
    )
    return [_exr_writer(one, compression) for one in channels]


def _exr_writer(
    channels: dict[str, np.ndarray], compression: ExrCompression
) -> Callable[[], object]:
    stored = OpenEXR.Compression(EXR_CODECS[compression].stored)
    header = {"compression": stored, "type": OpenEXR.scanlineimage}
    if compression == "fast_zip":
        blocks = [predict(plain) for plain in plain_blocks(channels)]
        return lambda: [isal_zlib.compress(block, 1) for block in blocks]
    return lambda: OpenEXR.File(dict(header), dict(channels)).write(io.BytesIO())


def _write(blobs: list[bytes]) -> None:
    with tempfile.NamedTemporaryFile() as file:
        for blob in blobs:
            file.write(blob)
        file.flush()
        os.fsync(file.fileno())


def main() -> None:
    """Render, measure the floor, print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--item", default="rp_mhmale_posed_001")
    parser.add_argument("--resolution", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--target", type=float, default=5.0, help="processor seconds a scan")
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--exr-compression", choices=get_args(ExrCompression), default="zip")
    options = parser.parse_args()
    root = options.backgrounds
    work = Work(
        data=options.data,
        item=options.item,
        settings=RenderSettings(
            resolution=options.resolution, lights="spots", exr_compression=options.exr_compression
        ),
        backgrounds=Backgrounds(root, freeze_backgrounds(root).images) if root else Backgrounds(),
    )
    keep_freed_memory()  # as workers do
    rendered = [render_scan(work, keep=True) for _ in range(options.rounds)]
    best = min(rendered, key=lambda one: one.table.cpu)
    print_tables(best.table, floors(work, best, options.rounds), options.target)


if __name__ == "__main__":
    main()
