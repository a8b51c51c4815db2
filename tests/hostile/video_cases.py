"""Hostile videos: sequences of frames, and correspondences of a published HDNet set."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from tests.hostile.image_cases import IMAGES
from tests.hostile.mesh_cases import Write, data, link_to, make_fifo, sparse, text
from tests.hostile.mutations import mutate
from tests.tasks.video.sequence_files import paint_iuv, write_iuv, write_sequence

Spoil = Callable[[Path], object]
"""Spoils one sequence, given its folder."""
FRAME = "0000004.png"
IMAGE_NAMES = (
    "empty", "png-giant", "png-endless", "png-bomb", "png-16-bit-cut", "bmp-rle-bomb",
    "gif-giant", "jpeg-giant", "fifo", "folder", "endless-device", "sparse-giant",
)  # fmt: skip
FOLDERS = ("color", "mask", "densepose")


def _instead(folder: str, write: Write) -> Spoil:
    def spoil(sequence: Path) -> None:
        path = sequence / folder / FRAME
        path.unlink()
        write(path)

    return spoil


def _grey(level: int, side: int = 256) -> Write:
    return lambda path: _discard(cv2.imwrite(str(path), np.full((side, side), level, np.uint8)))


def _invert_mask(sequence: Path) -> None:
    path = sequence / "mask" / FRAME
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    cv2.imwrite(str(path), 255 - mask)


SEQUENCES: dict[str, Spoil] = {
    **{f"{folder}-{name}": _instead(folder, IMAGES[name])
       for folder in FOLDERS for name in IMAGE_NAMES},
    "another-channel-order": lambda s: write_iuv(s / "densepose" / FRAME, paint_iuv(), order="IUV"),
    "mask-inverted": _invert_mask,
    "mask-empty": _instead("mask", _grey(0)),
    "mask-of-another-size": _instead("mask", _grey(255, 64)),
    "color-of-another-size": _instead("color", _grey(99, 64)),
    "iuv-of-noise": _instead("densepose", lambda path: _discard(cv2.imwrite(
        str(path), np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)))),
    "no-color": lambda s: shutil.rmtree(s / "color"),
    "no-mask": lambda s: shutil.rmtree(s / "mask"),
    "no-frames": lambda s: _remove_images(s, kept=""),
    "one-frame": lambda s: _remove_images(s, kept=FRAME),
    "normals-of-words": lambda s: _normals(s, "a b c\n"),
    "normals-too-few": lambda s: _normals(s, "0 0 1\n"),
    "normals-nan": lambda s: _normals(s, ("nan " * 256 + "\n") * 256),
}  # fmt: skip


def _remove_images(sequence: Path, *, kept: str) -> None:
    for path in sequence.rglob("*.png"):
        if path.name != kept:
            path.unlink()


ROWS = "".join(f"1,{100 + n},90,{101 + n},92\n" for n in range(12))
PAIR_FILES: dict[str, Write] = {
    "empty": text(""),
    "words": text("a,b,c,d,e\n"),
    "one-row": text("1,1,1,1,1\n"),
    "too-few-columns": text("1,2\n"),
    "too-many-columns": text("1,2,3,4,5,6,7,8,9\n"),
    "part-99": text("99,1,1,1,1\n"),
    "part-0": text("0,1,1,1,1\n"),
    "pixel-0": text("1,0,0,0,0\n"),
    "pixel-9999": text("1,9999,1,1,1\n"),
    "pixel-of-5000-digits": text(f"1,{'9' * 5000},1,1,1\n"),
    "negative": text("1,-5,1,1,1\n"),
    "fractions": text("1,1.5,1,1,1\n"),
    "nan": text("1,nan,1,1,1\n"),
    "parts-not-ascending": text("2,9,9,9,9\n1,9,9,9,9\n"),
    "more-rows-than-the-reader-takes": text("1,9,9,9,9\n" * 30_000),
    "nul-bytes": data(b"\0" * 400),
    "invalid-utf-8": data(b"1,\xff,1,1,1\n"),
    "long-line": text("1," * 2_000_000),
    "sparse-giant": sparse(b"1,1,1,1,1\n", 3 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    **{f"mutated-{n}": data(mutate(ROWS.encode(), n)) for n in range(6)},
}
"""Instead of one file of correspondences, or of limits."""
FILES = ("r1_c1_r2_c2", "limit")


def write_sequence_cases(root: Path) -> list[str]:
    """Write a video a case; returns their names."""
    for name, spoil in SEQUENCES.items():
        spoil(write_sequence(root / name))
    return list(SEQUENCES)


def write_videos_to_pair(root: Path) -> list[str]:
    """Write a video of two frames for each hostile file of a pair; returns their names."""
    names = [f"{kind}-{name}" for kind in FILES for name in PAIR_FILES]
    for name in (*names, "good"):
        write_sequence(root / name, 2)
    return names


def spoil_correspondences(published: Path) -> None:
    """Replace one file of each video of an exported HDNet set; `good` keeps its own."""
    with (published / "tiktok_data/frames.csv").open(newline="") as file:
        first = {row["video"]: row["name"] for row in reversed(list(csv.DictReader(file)))}
    for video, frame in first.items():
        kind, _, name = video.partition("-")
        if video != "good":
            corrs = published / "tiktok_data/correspondences/corrs"
            path = next(corrs.glob(f"{frame}_*_i_{kind}.txt"))
            path.unlink()
            PAIR_FILES[name](path)


def _normals(sequence: Path, content: str) -> None:
    (sequence / "pred_normals").mkdir()
    for axis in (1, 2, 3):
        (sequence / "pred_normals" / f"0000004_{axis}.txt").write_text(content)


def _discard(_: object) -> None:
    """Give a writer's answer no meaning."""
