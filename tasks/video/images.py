"""Images of frames: colour, mask and DensePose IUV, read whole and refused with the reason.

IUV comes in two channel orders; which one a file has is seen from the file itself. The canonical
order is I, U, V. Source: docs/hdnet-dataset.md, "DensePose IUV".
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from schemas.errors import InputError
from schemas.frames import PART_COUNT
from schemas.regular_files import read_whole
from tasks.scans.textures import decode_whole, read_header

MAX_FRAME_BYTES = 64 << 20
MAX_FRAME_SIDE_PX = 8192
"""Above any video; what a hostile image may make us allocate stays below 0.2 GB."""

MASK_THRESHOLD = 100
"""A person where the 8-bit mask is above. Source: docs/hdnet-dataset.md, "Labelled set"."""

IuvOrder = Literal["IUV", "VUI"]
"""Order of the channels as an RGB reader gives them."""

_PART_CHANNEL: dict[IuvOrder, int] = {"IUV": 0, "VUI": 2}
_PNG_BIT_DEPTH, _PNG_COLOUR_TYPE = 24, 25
"""Offsets of these bytes in a PNG file. Source: PNG, 3rd ed., 11.2.1."""
_PNG_KINDS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
_EIGHT_BIT_RGB = (8, "RGB")
MAX_LONELY = 0.02
"""Share of body pixels whose four neighbours are all of other parts. Measured: 0.0002 on the
published test frame, below 0.002 when it is scaled by nearest pixels, 0.02 to 0.13 by means."""

_FEW_LEVELS = 64
"""A channel of parts has at most 25 levels; one with a few more is a damaged one, no U or V."""


@dataclass(frozen=True, slots=True)
class IuvImage:
    """A DensePose image in canonical order. order: how the file had it."""

    iuv: UInt8[np.ndarray, "H W 3"]
    order: IuvOrder


def read_color(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read an image as RGB; raises InputError when it is missing, cut or no PNG or JPEG."""
    rgb: UInt8[np.ndarray, "H W 3"] = _decode(path, cv2.IMREAD_COLOR_RGB)
    return rgb


def read_mask(path: Path) -> Bool[np.ndarray, "H W"]:
    """Read a mask; True where the person is (above 100 of 255)."""
    levels = _decode(path, cv2.IMREAD_GRAYSCALE)
    mask: Bool[np.ndarray, "H W"] = levels > MASK_THRESHOLD
    return mask


def read_iuv(path: Path) -> IuvImage:
    """Read a DensePose image and find its channel order.

    Raises InputError when it is no 8-bit RGB PNG, when no order or both orders fit, or when it
    went through lossy coding or interpolation.
    """
    data = read_whole(path, MAX_FRAME_BYTES)
    header = read_header(data, str(path), check_sums=True, max_side=MAX_FRAME_SIDE_PX)
    if header.format != "png":
        raise _refuse(path, "a JPEG, whose numbers are not the ones that were stored")
    kind = data[_PNG_BIT_DEPTH], _PNG_KINDS.get(data[_PNG_COLOUR_TYPE], "unknown")
    if kind != _EIGHT_BIT_RGB:
        raise _refuse(path, f"a PNG of {kind[0]} bits, {kind[1]}")
    rgb = decode_whole(data, str(path), header)
    order = detect_order(rgb, str(path))
    iuv: UInt8[np.ndarray, "H W 3"] = rgb if order == "IUV" else rgb[..., ::-1]
    lonely = _share_of_lonely(iuv[..., 0])
    if lonely > MAX_LONELY:
        raise _refuse(path, f"{lonely:.0%} of the pixels alone in their part: interpolation")
    return IuvImage(np.ascontiguousarray(iuv), order)


def detect_order(rgb: UInt8[np.ndarray, "H W 3"], name: str) -> IuvOrder:
    """Return which channel holds the parts: the one that never exceeds 24.

    Background has no U and V, so what is not black where the parts are 0 speaks against an order.
    Raises InputError naming the file and what was met.
    """
    fitting = [order for order, channel in _PART_CHANNEL.items() if _fits(rgb, channel)]
    if len(fitting) == 1:
        return fitting[0]
    raise _refuse(Path(name), _explain(rgb, fitting))


def _fits(rgb: UInt8[np.ndarray, "H W 3"], channel: int) -> bool:
    parts = rgb[..., channel]
    return bool(0 < parts.max() <= PART_COUNT and not rgb[parts == 0].any())


def _share_of_lonely(part: UInt8[np.ndarray, "H W"]) -> float:
    """Return the share of body pixels that no neighbour above, below or beside shares the part."""
    bordered = np.pad(part, 1)
    neighbours = (bordered[:-2, 1:-1], bordered[2:, 1:-1], bordered[1:-1, :-2], bordered[1:-1, 2:])
    has_company = np.logical_or.reduce([other == part for other in neighbours])
    return float((~has_company & (part > 0)).sum() / (part > 0).sum())


def _explain(rgb: UInt8[np.ndarray, "H W 3"], fitting: list[IuvOrder]) -> str:
    """Say why no order, or more than one, fits."""
    if not rgb.any():
        return "no person: all pixels are 0"
    if fitting:
        return f"{' and '.join(fitting)} both possible: no channel exceeds {PART_COUNT}"
    small = [channel for channel in range(3) if rgb[..., channel].max() <= PART_COUNT]
    if small == [1]:
        return "the parts in the middle channel, an order that nobody writes"
    if small:
        return "U or V where the part is 0: lossy coding or interpolation"
    return _explain_parts(rgb)


def _explain_parts(rgb: UInt8[np.ndarray, "H W 3"]) -> str:
    """Say what is wrong with the channel that looks most like parts: it has fewest levels."""
    levels = {channel: len(np.unique(rgb[..., channel])) for channel in _PART_CHANNEL.values()}
    channel = min(levels, key=lambda one: (levels[one], rgb[..., one].max()))
    if levels[channel] <= PART_COUNT + 1:
        return f"part {rgb[..., channel].max()}"
    if levels[channel] <= _FEW_LEVELS:
        return f"{levels[channel]} levels where parts should be: lossy coding or interpolation"
    return f"no channel that stays within {PART_COUNT}: no DensePose IUV, or lossy coding"


def _decode(path: Path, flags: int) -> UInt8[np.ndarray, "H W *channels"]:
    data = read_whole(path, MAX_FRAME_BYTES)
    header = read_header(data, str(path), check_sums=True, max_side=MAX_FRAME_SIDE_PX)
    return decode_whole(data, str(path), header, flags=flags)


def _refuse(path: Path, found: str) -> InputError:
    return InputError(
        str(path),
        found=found,
        expected="an 8-bit RGB PNG of DensePose I, U, V (or V, U, I), parts 0 to 24",
        hint="Write the IUV image again, without loss and without scaling by interpolation.",
    )
