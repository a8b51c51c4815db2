"""Does the fitted body lie in its scan? Silhouettes and surfaces compared by the scan's camera.

A fit of the wrong scale, place or person spoils joints and size without any other sign.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float64

from renderers.placement import Placement
from renderers.rasterizer import Rasterizer
from schemas.camera import Camera, camera_2k2k, lift
from schemas.codecs import bounding_window
from schemas.errors import InputError, RequestError
from schemas.fits import FitCheck, FittedBody
from schemas.sample import Surfaces
from schemas.scan import Mesh, Scan
from schemas.views import View
from tasks.scans.layouts import DATASETS_WITH_FITS

CHECK_RESOLUTION = 512
"""Pixels a side: 5 mm for a person."""

MIN_OVERLAP = 0.6
"""Ours: a person in wide clothes covers about a third more than the body alone."""

MAX_DISTANCE_M = 0.05
"""Ours: cloth stands off by one or two centimetres on average; this mean is small by its nature."""

HEIGHT_RATIOS = (0.85, 1.1)
"""Ours: hair, hats and heels make a scan taller than its body, hardly anything makes it lower."""

_BODY_COLOR = (170, 170, 170)


def check_fit(scan: Scan, body: FittedBody, scanned: Rasterizer, placement: Placement) -> FitCheck:
    """Draw the fitted body with the scan's camera and compare; scanned: of the scan's mesh."""
    camera = camera_2k2k(CHECK_RESOLUTION)
    mesh_to_world = placement.turned(View(0.0))
    theirs = scanned.draw(camera, mesh_to_world)
    try:
        with Rasterizer(scanned.context, _to_mesh(body)) as rasterizer:
            ours = rasterizer.draw(camera, mesh_to_world)
    except RequestError:  # the body reaches behind the camera, which is far off the person
        return FitCheck(
            scan_id=scan.ref.scan_id, overlap=0, distance_m=None, height_ratio=None, is_misfit=True
        )
    return compare_surfaces(
        scan.ref.scan_id, theirs, ours, camera=camera, metres_per_unit=placement.metres_per_unit
    )


def require_fit(
    scan: Scan,
    scanned: Rasterizer,
    placement: Placement,
    *,
    is_required: bool,
    tell: Callable[[FitCheck], None] | None,
) -> None:
    """Check the fit of a scan that has a body, and return what came out.

    Raises InputError when a fit is required and is missing or does not lie in its scan. Data
    sets without fits have nothing to require.
    """
    if scan.body is None:
        if is_required and scan.fit is None and scan.ref.dataset in DATASETS_WITH_FITS:
            raise InputError(
                scan.ref.scan_id, found="no SMPL-X fit", expected="a fit",
                hint="Put the fit there, take the scan away, or render without --require-fit.",
            )  # fmt: skip
        return
    check = check_fit(scan, scan.body, scanned, placement)
    if tell is not None:
        tell(check)
    if check.is_misfit and is_required:
        raise refuse_misfit(check)


def compare_surfaces(
    scan_id: str, scan: Surfaces, body: Surfaces, *, camera: Camera, metres_per_unit: float
) -> FitCheck:
    """Compare what the same camera sees of a scan and of its body."""
    overlap = find_overlap(scan.mask, body.mask)
    points, others = (_lift(surfaces, camera) for surfaces in (scan, body))
    distance = None
    if len(points) and len(others):
        nearest = _distances(others, points), _distances(points, others)
        distance = float(metres_per_unit * 0.5 * (nearest[0].mean() + nearest[1].mean()))
    ratio = _height(body.mask) / _height(scan.mask) if distance is not None else None
    return FitCheck(
        scan_id=scan_id,
        overlap=round(overlap, 4),
        distance_m=None if distance is None else round(distance, 4),
        height_ratio=None if ratio is None else round(ratio, 4),
        is_misfit=not _lies_in(overlap, distance, ratio),
    )


def find_overlap(one: Bool[np.ndarray, "H W"], other: Bool[np.ndarray, "H W"]) -> float:
    """Return the common part of two silhouettes divided by their union; 0 when both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 0.0


def describe_misfit(check: FitCheck) -> str:
    """Say what is wrong with a fit, as a warning of its scan."""
    distance = "out of sight" if check.distance_m is None else f"{check.distance_m:.3f} m off"
    ratio = 0.0 if check.height_ratio is None else check.height_ratio
    return (
        f"misfit: the fitted body's silhouette overlaps by {check.overlap:.0%} and is {ratio:.0%} "
        f"as high, its surface is {distance}; expected {MIN_OVERLAP:.0%} or more, "
        f"{HEIGHT_RATIOS[0]:.0%} to {HEIGHT_RATIOS[1]:.0%}, {MAX_DISTANCE_M} m or less"
    )


def refuse_misfit(check: FitCheck) -> InputError:
    """Make the error of a scan that must fit."""
    return InputError(
        check.scan_id, found=describe_misfit(check), expected="a fit that lies in its scan",
        hint="Fix the fit, take the scan away, or render without --require-fit.",
    )  # fmt: skip


def _lies_in(overlap: float, distance_m: float | None, ratio: float | None) -> bool:
    if distance_m is None or ratio is None:
        return False
    low, high = HEIGHT_RATIOS
    return overlap >= MIN_OVERLAP and distance_m <= MAX_DISTANCE_M and low <= ratio <= high


def _distances(
    points: Float64[np.ndarray, "N 3"], others: Float64[np.ndarray, "M 3"]
) -> Float64[np.ndarray, " N"]:
    """Return how far each point is from the nearest of the others."""
    from scipy.spatial import cKDTree  # noqa: PLC0415 - 0.3 s in every process; few scans have fits

    found: Float64[np.ndarray, " N"] = cKDTree(others).query(points)[0]
    return found


def _height(mask: Bool[np.ndarray, "H W"]) -> int:
    _, top, _, bottom = bounding_window(mask)
    return bottom - top + 1


def _lift(surfaces: Surfaces, camera: Camera) -> Float64[np.ndarray, "N 3"]:
    """Return the points of both surfaces, camera axes."""
    pair = (surfaces.front, surfaces.back)
    return np.concatenate(
        [lift(camera, one.depth.astype(np.float64))[surfaces.mask] for one in pair]
    )


def _to_mesh(body: FittedBody) -> Mesh:
    colors = np.full((len(body.vertices), 3), _BODY_COLOR, np.uint8)
    return Mesh(vertices=body.vertices, faces=body.faces, vertex_colors=colors)
