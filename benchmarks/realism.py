"""Tell scans from synthetic people by statistics of their images, and say which set is closer.

    scanmill synth --out OLD --subjects 8 ...
    PYTHONPATH=. python benchmarks/realism.py REAL --set old=OLD --set new=NEW
        [--item rp_mhmale_posed_001 ...] [--people 8] [--alike 6] [--resolution 1024]

REAL and the sets are data roots in RenderPeople's layout; --item names the scans of REAL that
count (default: all). Every figure is drawn from six yaws, as high as the image, unlit. Measured:

    outline        power of the silhouette's outer contour, by octave (complex Fourier descriptors)
    normal angles  angles between normals of neighbouring pixels
    curvature      divergence of normals over 8 pixels, of either sign
    relief         how normals turn between scales of 2 and 16 pixels: folds, hair, pores
    texture        power of the colour's lightness, by octave, over the figure's inside
    colour         lightness, green to red, blue to yellow (CIE L*a*b*)

A distance is the mean difference of log10 powers, averaged over each set first, or the Wasserstein
distance of histograms in units of their spread over the real scans. --alike adds so many people of
our own who are dressed, shorn and posed like the one real man: what is left there is realism, not
choice of subject. The last lines say on how many statistics a set is closer than the first.
"""

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8
from scipy.stats import wasserstein_distance

from people.figure import rng_for
from people.human import POSE_PURPOSE, make_human
from people.human_pose import draw_names
from people.outfits import draw_outfit
from people.stage import atlas_mesh
from people.traits import draw_traits
from renderers.egl import GLContext
from renderers.placement import rotation_y
from renderers.rasterizer import Rasterizer
from schemas.camera import camera_orthographic
from schemas.scan import Mesh, ScanRef
from tasks.samples.scan_reading import load_scan

YAWS = (0, 60, 120, 180, 240, 300)
HALF_EXTENT = float(np.tan(np.radians(25)))
FILL = 0.95
"""Share of the image's height that a figure takes."""
OCTAVES = 7
CONTOUR_POINTS = 1024
SAMPLES = 4000
CURVATURE_STEP_PX = 8
SCALES_PX = (2.0, 4.0, 8.0, 16.0)
TEXTURE_SCALES_PX = (0.7, 1.4, 2.8, 5.6, 11.2, 22.4)
TINY = 1e-9
SEED, GROWN_YEARS = 1, 18
SHORT_HAIR = ("short", "buzz", "swept")
FREE_ARMS = ("apart", "hanging", "hanging_bent", "presenting")
SHIRT_AND_TROUSERS = {
    "tshirt", "polo", "shirt", "collar", "jeans", "trousers", "shoes", "sneakers", "boots",
}  # fmt: skip
ROW = "{:<16}" + "{:>12}" * 4


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of one figure: powers are log10, by statistic; samples of values, by statistic."""

    powers: dict[str, Float64[np.ndarray, " B"]]
    values: dict[str, Float64[np.ndarray, " S"]]


def main() -> None:
    """Print the table."""
    arguments = parse_arguments()
    with GLContext.open() as context:
        real = measure_root(context, arguments.real, arguments.item, arguments)
        sets = {
            name: measure_root(context, Path(folder), None, arguments)
            for name, folder in (entry.split("=", 1) for entry in arguments.set)
        }
        if arguments.alike:
            sets["alike"] = [
                measure_figure(context, mesh, arguments.resolution)
                for mesh in alike_people(arguments.alike)
            ]
    print_table(real, sets)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("real", type=Path)
    parser.add_argument("--set", action="append", default=[], help="NAME=ROOT, several times")
    parser.add_argument("--item", action="append", default=None)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--alike", type=int, default=0, help="people like the real man")
    parser.add_argument("--resolution", type=int, default=1024)
    return parser.parse_args()


def alike_people(count: int) -> Iterator[Mesh]:
    """Make the first lifelike people of SEED who are like the one real man, whatever they measure.

    Grown men with short hair and no beard, in shirt and trousers, no arm before the body.
    """
    made = 0
    for index in itertools.count():
        traits = draw_traits(SEED, index)
        outfit = draw_outfit(traits)
        _, pair, _ = draw_names(rng_for(SEED, index, POSE_PURPOSE))
        fits = not traits.female and traits.age_years >= GROWN_YEARS and not outfit.beard
        fits = fits and outfit.hair in SHORT_HAIR and pair in FREE_ARMS
        if fits and {name for name, _ in outfit.garments} <= SHIRT_AND_TROUSERS:
            human = make_human(SEED, index)
            yield atlas_mesh(human.vertices, human.faces, human.atlas, human.texture)
            made += 1
            if made == count:
                return


def measure_root(
    context: GLContext, root: Path, items: list[str] | None, arguments: argparse.Namespace
) -> list[Statistics]:
    """Return the statistics of each scan of a data root."""
    found = sorted(path.name.removesuffix("_OBJ") for path in (root / "obj/RP").glob("*_OBJ"))
    measured = []
    for item in (items or found)[: arguments.people]:
        ref = ScanRef(dataset="RP", item=item, subject=item, split="train")
        measured.append(measure_figure(context, load_scan(root, ref).mesh, arguments.resolution))
    return measured


def measure_figure(context: GLContext, mesh: Mesh, resolution: int) -> Statistics:
    """Draw a figure from all yaws and measure it; rows of several views are joined."""
    views = []
    with Rasterizer(context, mesh) as rasterizer:
        for yaw in YAWS:
            front = rasterizer.draw(camera_orthographic(resolution), place(mesh, yaw)).front
            views.append(measure_view(front.color, front.normal, front.triangle >= 0))
    return Statistics(
        {name: np.mean([view.powers[name] for view in views], axis=0) for name in views[0].powers},
        {name: np.concatenate([view.values[name] for view in views]) for name in views[0].values},
    )


def place(mesh: Mesh, yaw: float) -> Float64[np.ndarray, "4 4"]:
    """Return mesh_to_world: centred, as high as the image, turned."""
    used = mesh.used_vertices
    low, high = used.min(axis=0), used.max(axis=0)
    size = 2 * HALF_EXTENT * FILL / (high[1] - low[1])
    centre = np.eye(4)
    centre[:3, 3] = -0.5 * (low + high)
    placed: Float64[np.ndarray, "4 4"] = rotation_y(yaw) @ np.diag([size, size, size, 1]) @ centre
    return placed


def measure_view(
    color: UInt8[np.ndarray, "H W C"],
    normal: Float32[np.ndarray, "H W 3"],
    mask: Bool[np.ndarray, "H W"],
) -> Statistics:
    """Measure one view."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    lab = cv2.cvtColor(color[..., :3].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    turned = {
        "normal angles": np.log10(neighbour_angles(normal, inner) + 1e-3),
        "curvature": curvature(normal, inner),
    }
    colors = {
        f"colour {axis}": lab[..., number][inner].astype(np.float64)
        for number, axis in enumerate("Lab")
    }
    return Statistics(
        {
            "outline": outline_power(mask),
            "relief": relief_power(normal, inner),
            "texture": texture_power(lab[..., 0], mask, inner),
        },
        {name: thin(values) for name, values in (turned | colors).items()},
    )


def thin(values: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, " S"]:
    """Keep evenly spaced ranks of values, always equally many."""
    kept: Float64[np.ndarray, " S"] = np.quantile(values, np.linspace(0, 1, SAMPLES))
    return kept


def outline_power(mask: Bool[np.ndarray, "H W"]) -> Float64[np.ndarray, " B"]:
    """Return log10 power of the longest outer contour in octaves of its Fourier descriptors."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)[:, 0].astype(np.float64)
    length = np.concatenate(
        [[0], np.cumsum(np.linalg.norm(np.diff(contour, axis=0, append=contour[:1]), axis=1))]
    )
    closed = np.concatenate([contour, contour[:1]])
    where = np.linspace(0, length[-1], CONTOUR_POINTS, endpoint=False)
    line = np.interp(where, length, closed[:, 0]) + 1j * np.interp(where, length, closed[:, 1])
    power = np.abs(np.fft.fft(line / len(mask)) / CONTOUR_POINTS) ** 2
    both = power[1 : CONTOUR_POINTS // 2] + power[: CONTOUR_POINTS // 2 : -1]
    bands = [both[2**k - 1 : 2 ** (k + 1) - 1].sum() for k in range(2, 2 + OCTAVES)]
    return np.log10(np.array(bands) + TINY**2)


def neighbour_angles(
    normal: Float32[np.ndarray, "H W 3"], inner: Bool[np.ndarray, "H W"]
) -> Float64[np.ndarray, " n"]:
    """Return degrees between the normals of pixels side by side."""
    both = inner[:, 1:] & inner[:, :-1]
    cosine = np.einsum("hwc,hwc->hw", normal[:, 1:], normal[:, :-1])[both]
    angles: Float64[np.ndarray, " n"] = np.degrees(
        np.arccos(np.clip(cosine.astype(np.float64), -1, 1))
    )
    return angles


def curvature(
    normal: Float32[np.ndarray, "H W 3"], inner: Bool[np.ndarray, "H W"]
) -> Float64[np.ndarray, " n"]:
    """Return the divergence of the normals across the image over CURVATURE_STEP_PX pixels."""
    step = CURVATURE_STEP_PX
    across = normal[step:-step, 2 * step :, 0] - normal[step:-step, : -2 * step, 0]
    down = normal[2 * step :, step:-step, 1] - normal[: -2 * step, step:-step, 1]
    own = cv2.erode(inner.astype(np.uint8), np.ones((2 * step + 1,) * 2, np.uint8)).astype(bool)
    turned: Float64[np.ndarray, " n"] = (across + down)[own[step:-step, step:-step]].astype(
        np.float64
    )
    return turned


def relief_power(
    normal: Float32[np.ndarray, "H W 3"], inner: Bool[np.ndarray, "H W"]
) -> Float64[np.ndarray, " B"]:
    """Return log10 of the mean square difference of normals blurred at successive scales."""
    return band_powers(normal, inner, SCALES_PX)


def texture_power(
    lightness: Float32[np.ndarray, "H W"],
    mask: Bool[np.ndarray, "H W"],
    inner: Bool[np.ndarray, "H W"],
) -> Float64[np.ndarray, " B"]:
    """Return log10 of the mean square difference of lightness blurred at successive scales."""
    filled = np.where(mask, lightness, lightness[mask].mean()).astype(np.float32)
    return band_powers(filled[..., None], inner, TEXTURE_SCALES_PX)


def band_powers(
    values: Float32[np.ndarray, "H W C"],
    inner: Bool[np.ndarray, "H W"],
    scales: tuple[float, ...],
) -> Float64[np.ndarray, " B"]:
    """Return log10 of the mean square of each band between scales, over the inner pixels."""
    levels = [values, *(cv2.GaussianBlur(values, (0, 0), scale) for scale in scales)]
    levels = [level.reshape(values.shape) for level in levels]
    bands = [
        float(((finer - coarser)[inner] ** 2).sum(axis=-1).mean())
        for finer, coarser in pairwise(levels)
    ]
    return np.log10(np.array(bands) + TINY)


def distance(name: str, one: list[Statistics], other: list[Statistics]) -> float:
    """Return how far apart two sets are in one statistic."""
    if name in one[0].powers:
        first, second = (np.mean([s.powers[name] for s in group], axis=0) for group in (one, other))
        return float(np.abs(first - second).mean())
    first, second = (np.concatenate([s.values[name] for s in group]) for group in (one, other))
    return float(wasserstein_distance(first, second) / (second.std() + TINY))


def print_table(real: list[Statistics], sets: dict[str, list[Statistics]]) -> None:
    """Print distances of up to four sets from the real scans; compare each with the first."""
    names = [*real[0].powers, *real[0].values]
    print(ROW.format("statistic", *sets, *[""] * (4 - len(sets))))
    apart = {name: [distance(name, group, real) for group in sets.values()] for name in names}
    for name, values in apart.items():
        print(ROW.format(name, *(f"{value:.3f}" for value in values), *[""] * (4 - len(sets))))
    first, *others = sets
    for number, other in enumerate(others, start=1):
        won = sum(values[number] < values[0] for values in apart.values())
        print(f"{other} is closer than {first} on {won} of {len(names)} statistics")


if __name__ == "__main__":
    main()
