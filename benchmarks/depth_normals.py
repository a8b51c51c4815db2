"""Do depth and rendered normals of the labelled set agree? Normals of depth by HDNet's form.

    python -m benchmarks.depth_normals URI...      data sets of `scanmill render --camera hdnet`

HDNet's form is the normal of the facet through a pixel's point and those to its right and above:
(point at x+1 minus point) x (point at y-1 minus point), normalised, and left out where one of the
three lies outside the mask. (The published code replaces small components of the product before it
is normalised, which tilts facing planes, and keeps what the mask's edge spoils.)

A facet spans three pixels and its normal is that of no single one of them. Each edge of it is, to
second order, perpendicular to the mean of the true normals at its two ends (trapezoid rule). So the
comparison that adds no error of its own rebuilds both edges from the rendered normals alone and
crosses them. What the facet is compared with:

    own pixel          the rendered normal of the pixel: half a pixel beside the facet's middle
    mean of three      the rendered normals of its three corners, averaged: exact to first order
    edges of normals   as said above: exact to second order
    central            not HDNet's form: central differences of depth against the pixel's own normal

Where vertex normals smooth what the mesh has as an edge, depth and rendered normals differ for that
reason; a data set rendered with the setting `normals: flat` shows how much of a difference that is.

Sources: docs/hdnet-dataset.md, "Normals"; docs/losses.md, "HDNet terms". Wanted: 3 degrees, median.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Float64

from schemas.camera import lift, ray_directions
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.shards import read_rows
from tasks.dataset.stored_sample import StoredSample

MAX_ANGLE_DEG = 3.0
Grid = Float64[np.ndarray, "H W 3"]
Shift = Callable[[np.ndarray], np.ndarray]


def main(uris: list[str]) -> int:
    """Print the median angle of each comparison, for each scan and over all."""
    angles: dict[str, dict[str, list[np.ndarray]]] = defaultdict(lambda: defaultdict(list))
    for sample in (one for uri in uris for one in labelled_samples(uri)):
        for name, found in compare(sample).items():
            angles[str(sample.row["item"])][name].append(found)
            angles["all"][name].append(found)
    names = ("own pixel", "mean of three", "edges of normals", "central")
    print(f"{'median degrees':28}" + "".join(f"{name:>18}" for name in names))
    for item, by_name in angles.items():
        medians = [float(np.median(np.concatenate(by_name[name]))) for name in names]
        print(f"{item:28}" + "".join(f"{one:18.2f}" for one in medians))
    median = float(np.median(np.concatenate(angles["all"]["edges of normals"])))
    print(f"all, edges of normals: {median:.2f}; expected {MAX_ANGLE_DEG:g} or less")
    return 0 if median <= MAX_ANGLE_DEG else 1


def labelled_samples(uri: str) -> Iterator[StoredSample]:
    """Yield the samples of HDNet's camera of one data set."""
    folder = DatasetFolder.at(Path(uri))
    settings = folder.read_description().settings
    for shard_id in folder.committed_shards():
        for row in read_rows(folder.shard_path(shard_id)):
            if row["camera"] == "hdnet":
                yield StoredSample(row, settings)


def compare(sample: StoredSample) -> dict[str, Float64[np.ndarray, " N"]]:
    """Return the angles, degrees, between normals of depth and rendered ones, by comparison."""
    points = lift(sample.camera, sample.depth[0].astype(np.float64))
    normals = sample.normals[0].astype(np.float64)
    rays = ray_directions(sample.camera)
    mask = sample.mask
    inside = mask & _right(mask) & _up(mask)
    facets = facet_normals(points)[inside]
    differences = np.cross(_right(points) - _left(points), _up(points) - _down(points))
    around = inside & _left(mask) & _down(mask)
    return {
        "own pixel": angle_deg(facets, normals[inside]),
        "mean of three": angle_deg(facets, (normals + _right(normals) + _up(normals))[inside]),
        "edges of normals": angle_deg(facets, expected_facets(normals, rays, inside)),
        "central": angle_deg(differences[around], normals[around]),
    }


def facet_normals(points: Grid) -> Grid:
    """Return HDNet's form, not normalised: right edge crossed with upper edge of each pixel."""
    crossed: Grid = np.cross(_right(points) - points, _up(points) - points)
    return crossed


def expected_facets(
    normals: Grid, rays: Float[np.ndarray, "H W 3"], inside: Bool[np.ndarray, "H W"]
) -> Float64[np.ndarray, "N 3"]:
    """Return the facets' normals that rendered normals alone lead to, not normalised."""
    right, up = (_edge(normals, rays, shift)[inside] for shift in (_right, _up))
    crossed: Float64[np.ndarray, "N 3"] = np.cross(right, up)
    return crossed


def _edge(normals: Grid, rays: Float[np.ndarray, "H W 3"], shift: Shift) -> Grid:
    """Return the step from a pixel's ray of length 1 to its neighbour's, along the surface."""
    mean, others = normals + shift(normals), shift(rays)
    with np.errstate(divide="ignore", invalid="ignore"):
        length = (mean * rays).sum(axis=-1) / (mean * others).sum(axis=-1)
    step: Grid = others * length[..., None] - rays
    return step


def angle_deg(
    one: Float[np.ndarray, "N 3"], other: Float[np.ndarray, "N 3"]
) -> Float64[np.ndarray, " N"]:
    """Return the angle between vectors of any length, exact for small angles too."""
    cross = np.linalg.norm(np.cross(one, other), axis=-1)
    angles: Float64[np.ndarray, " N"] = np.degrees(np.arctan2(cross, (one * other).sum(axis=-1)))
    return angles


def _right(values: np.ndarray) -> np.ndarray:
    return np.roll(values, -1, axis=1)


def _left(values: np.ndarray) -> np.ndarray:
    return np.roll(values, 1, axis=1)


def _up(values: np.ndarray) -> np.ndarray:
    return np.roll(values, 1, axis=0)


def _down(values: np.ndarray) -> np.ndarray:
    return np.roll(values, -1, axis=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
