"""The straightforward loader: PNG files, a torch Dataset, the reference's augmentation.

Source of the augmentation: docs/networks.md, "Augmentation".
"""

from pathlib import Path
from time import process_time

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float32, UInt8, UInt16
from PIL import Image, ImageEnhance
from torch.utils.data import Dataset

from schemas.codecs import decode_depth
from training.data.shard_index import SampleAddress
from training.twok2k.augment import SEAM_FROM, SEAM_TO

COLUMNS = ["shaded.bytes", "color_front.bytes", "color_back.bytes", "depth", "intrinsics"]
COLORS = ("color_front", "color_back")
IMAGES = ("shaded", *COLORS)
DEPTHS = ("depth_front", "depth_back")
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
TRIANGLE = np.array([1, 2, 1], np.float32) / 4
FAR = 6
"""Network units: the ground of the front."""

Rgb = UInt8[np.ndarray, "H W 3"]


class PngFolder(Dataset[dict[str, torch.Tensor]]):
    """PNG files of samples, augmented on the CPU as the reference says."""

    def __init__(
        self, root: Path, rooms: list[Path], count: int, items: int, *, colors: bool
    ) -> None:
        """Take `items` samples below root, round and round until `count` are given.

        colors: read both unlit colours too, as the published loader does.
        """
        self._root, self._rooms, self._count, self._items = root, rooms, count, items
        self._colors = colors

    def __len__(self) -> int:
        """Return how many samples an epoch has."""
        return self._count

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        """Read and augment one sample; busy: this process's seconds of processor so far."""
        folder = self._root / str(place % self._items)
        sample = augment(
            read_rgb(folder / "shaded.png"),
            [read(folder / f"{name}.png", cv2.IMREAD_UNCHANGED) for name in DEPTHS],
            self._rooms, np.random.default_rng(place),
        )  # fmt: skip
        for name in COLORS if self._colors else ():
            color = read_rgb(folder / f"{name}.png").astype(np.float32).transpose(2, 0, 1) / 255
            sample[name] = torch.from_numpy(np.ascontiguousarray(color))
        return sample | told_busy()


def told_busy() -> dict[str, torch.Tensor]:
    """Return this process's seconds of processor so far, as a sample's part."""
    return {"busy": torch.tensor(process_time(), dtype=torch.float64)}


def augment(
    shaded: Rgb, depths: list[UInt16[np.ndarray, "H W"]], rooms: list[Path],
    random: np.random.Generator,
) -> dict[str, torch.Tensor]:  # fmt: skip
    """Make what a training takes: the image in -1..1 and both depths in network units."""
    front, back = (depth.astype(np.float64) / 32 / 512 for depth in depths)
    inside = front > 0
    factors = [float(random.uniform(0.7, 1.0)) for _ in range(3)]
    person = jitter(shaded, factors, random)
    image = compose(person, draw_room(rooms, inside.shape[0], random), inside)
    front[~inside] = FAR
    arrays = {
        "picture": image.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1,
        "front": front.astype(np.float32),
        "back": back.astype(np.float32),
    }
    return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}


def draw_room(rooms: list[Path], side: int, random: np.random.Generator) -> Rgb:
    """Draw a background, enlarged twofold and cropped; one in ten is black."""
    if random.random() < 1 / 10:
        return np.zeros((side, side, 3), np.uint8)
    room = read_rgb(rooms[random.integers(len(rooms))])
    large = cv2.resize(room, None, fx=2, fy=2)
    top, left = (int(random.integers(n - side + 1)) for n in large.shape[:2])
    return large[top : top + side, left : left + side]


def read_rgb(path: Path) -> Rgb:
    """Read an image as RGB."""
    return read(path, cv2.IMREAD_COLOR)[..., ::-1]


def read(path: Path, flags: int) -> np.ndarray:
    """Read an image; flags: OpenCV's."""
    image = cv2.imread(str(path), flags)
    if image is None:
        raise FileNotFoundError(path)
    return image


def jitter(image: Rgb, factors: list[float], random: np.random.Generator) -> Rgb:
    """Change brightness, contrast and saturation in random order."""
    changed = Image.fromarray(np.ascontiguousarray(image))
    changes = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    for which in random.permutation(3):
        changed = changes[which](changed).enhance(factors[which])
    return np.asarray(changed)


def compose(person: Rgb, background: Rgb, inside: Bool[np.ndarray, "H W"]) -> Rgb:
    """Put the person before the background and smooth the seam."""
    together = np.where(inside[..., None], person, background)
    soft = cv2.sepFilter2D(cv2.medianBlur(together, 3), -1, BINOMIAL, BINOMIAL)
    edge: Float32[np.ndarray, "H W"] = cv2.sepFilter2D(
        inside.astype(np.float32), -1, TRIANGLE, TRIANGLE
    )
    seam = (edge >= SEAM_FROM) & (edge <= SEAM_TO)
    return np.where(seam[..., None], soft, together)


def write_pngs(samples: tuple[SampleAddress, ...], root: Path) -> None:
    """Write the same content as PNG files, depth as the published sixteen bits."""
    for place, sample in enumerate(samples):
        table = sample.shard.open().read_row_group(sample.row_group, columns=COLUMNS)
        row = table.to_pylist()[sample.row]
        folder = root / str(place)
        folder.mkdir(parents=True)
        for name in IMAGES:
            (folder / f"{name}.png").write_bytes(row[name]["bytes"])
        for name, length in zip(DEPTHS, decode_depth(row["depth"]), strict=True):
            stored = 32 * ((length - 1) * row["intrinsics"][0] + length.shape[0] / 2)
            sixteen = np.where(length > 0, stored, 0).astype(np.uint16)
            cv2.imwrite(str(folder / f"{name}.png"), sixteen)
