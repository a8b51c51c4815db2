"""Draw the golden images and the loss curve again: new beside old, to look at.

    python -m tests.golden.compare OUT [--accept]

Writes OUT/<name>.png (old, new, and ten times their difference, one above the other),
OUT/new/<name>.png and OUT/curve.txt; --accept stores the new ones in tests/golden.
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tests.golden.curve import train_curve
from tests.golden.scene import Image, draw_images

STORED = Path(__file__).resolve().parent
CURVE = STORED / "curve.json"
SHOWN_TIMES = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """How far two images are apart. mean: of 0..255; share: pixels that differ by more than 8."""

    mean: float
    share: float


def difference(old: Image, new: Image) -> Difference:
    """Compare two images of one size."""
    apart = np.abs(old.astype(np.int16) - new.astype(np.int16))
    return Difference(float(apart.mean()), float((apart.max(axis=-1) > 8).mean()))


def read_stored(name: str) -> Image:
    """Read a golden image, RGB."""
    stored = cv2.imread(str(STORED / f"{name}.png"))
    if stored is None:
        raise FileNotFoundError(STORED / f"{name}.png")
    return np.ascontiguousarray(stored[..., ::-1]).astype(np.uint8)


def write(path: Path, image: Image) -> None:
    """Write an RGB image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]))


def beside(old: Image, new: Image) -> Image:
    """Put old, new and their difference, enlarged tenfold, above each other."""
    apart = np.abs(old.astype(np.int16) - new.astype(np.int16)) * SHOWN_TIMES
    return np.concatenate([old, new, apart.clip(0, 255).astype(np.uint8)])


def main() -> None:
    """Write everything and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("--accept", action="store_true", help="store the new ones")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images = draw_images(Path(folder) / "images")
        curve = train_curve(Path(folder) / "curve")
    for name, new in images.items():
        write(given.out / "new" / f"{name}.png", new)
        if (STORED / f"{name}.png").is_file():
            old = read_stored(name)
            write(given.out / f"{name}.png", beside(old, new))
            print(name, difference(old, new))
        if given.accept:
            shutil.copy(given.out / "new" / f"{name}.png", STORED / f"{name}.png")
    before = json.loads(CURVE.read_text())["loss"] if CURVE.is_file() else curve["loss"]
    rows = zip(before, curve["loss"], strict=True)
    text = "".join(f"{step} {old:.6f} {new:.6f}\n" for step, (old, new) in enumerate(rows, 1))
    (given.out / "curve.txt").write_text("step old new\n" + text)
    print(text, end="")
    if given.accept:
        CURVE.write_text(json.dumps(curve, indent=1) + "\n")


if __name__ == "__main__":
    main()
