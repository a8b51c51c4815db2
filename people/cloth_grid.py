"""The texels of a garment's tile, and what is drawn over them: noise, waves, lines, soft edges."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32

from people.figure import Color
from people.pixels import Plane, line_alpha

Fabric = Literal["jersey", "woven", "knit", "denim", "leather", "fleece", "felt"]
Pattern = Literal["plain", "stripes", "checks", "print", "dots", "block"]


@dataclass(frozen=True, slots=True)
class Look:
    """What a garment's cloth looks like. seed: of its noise."""

    fabric: Fabric
    pattern: Pattern
    color: Color
    second: Color
    third: Color
    seed: int
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """The texels of a tile; u, v: centimetres. fields: `Cloth.values` there."""

    look: Look
    u: Plane
    v: Plane
    fields: Float32[np.ndarray, "h w 7"]
    texel_cm: float
    rng: np.random.Generator

    @property
    def x(self) -> Plane:
        """Return canonical x."""
        return self.fields[..., 0]

    @property
    def y(self) -> Plane:
        """Return canonical height."""
        return self.fields[..., 1]

    @property
    def z(self) -> Plane:
        """Return canonical z."""
        return self.fields[..., 2]

    @property
    def rim(self) -> Plane:
        """Return the distance to the nearest rim."""
        return self.fields[..., 5]

    @property
    def light(self) -> Plane:
        """Return what light folds leave: less in their valleys."""
        return self.fields[..., 6]


def noise(grid: Grid, size_cm: float, *, stretch: tuple[float, float] = (1.0, 1.0)) -> Plane:
    """Return smooth noise of about -1..1 with grains of a size, stretched along u and v."""
    rows, columns = grid.u.shape
    cells = (
        max(2, round(rows * grid.texel_cm / (size_cm * stretch[1]))),
        max(2, round(columns * grid.texel_cm / (size_cm * stretch[0]))),
    )
    cells = (min(cells[0], rows), min(cells[1], columns))
    coarse = grid.rng.standard_normal(cells).astype(np.float32)
    noise: Plane = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    return noise


def wave(grid: Grid, along: Plane, per_cm: float) -> Plane:
    """Return a sine that fades out where texels cannot hold it."""
    fade = np.exp(-2.0 * (per_cm * grid.texel_cm) ** 2 * 4)
    wave: Plane = (np.sin(along * np.float32(2 * np.pi * per_cm)) * fade).astype(np.float32)
    return wave


def soft(grid: Grid, field: Plane) -> Plane:
    """Return 1 where a field is negative, soft over a texel and a half."""
    soft: Plane = np.clip(0.5 - field / (1.5 * grid.texel_cm), 0, 1).astype(np.float32)
    return soft


def line(grid: Grid, field: Plane, width_cm: float) -> Plane:
    """Return 1 on a field's zero line, at least as wide as texels can show."""
    return line_alpha(field, max(width_cm, 1.6 * grid.texel_cm))
