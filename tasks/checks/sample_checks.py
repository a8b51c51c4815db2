"""What must hold within one stored sample; every breach is a value that names what was met.

Source: docs/samples.md, "Columns of a sample".
"""

from collections.abc import Callable, Iterator
from typing import cast

import numpy as np
from jaxtyping import Bool, Shaped

from schemas.codecs import MASK_INSIDE, exr_compression_of
from schemas.errors import ScanmillError
from schemas.exr_compression import EXR_CODECS
from schemas.keypoints import JOINT_COUNT, KeypointSource
from schemas.samples import SAMPLE_COLUMNS
from schemas.seeds import derive_seed
from schemas.settings import RenderSettings
from tasks.checks.findings import Breach
from tasks.checks.plausibility import check_plausibility
from tasks.dataset.splits import SPLITS
from tasks.dataset.stored_sample import Row, StoredSample

UNIT_TOLERANCE = 4e-3
"""Of a normal's length and of its turn to the viewer: three halves, each rounded by 2**-11."""

KEYPOINT_TOLERANCE_PX = 0.01
"""Both sides of the comparison are float32; at 2048 that is 0.0002 px."""

CAMERA_TOLERANCE = 1e-9
OCCLUSION_VALUES = (0, 1, 255)
METRIC_SOURCES = ("file", "fit", "assumed_height")
LOSSLESS_IMAGES = ("color_front", "color_back", "shaded")
_JPEG_START, _PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PARTS = 24


def check_sample(row: Row, settings: RenderSettings) -> tuple[Breach, ...]:
    """Check one stored sample; a check that can't be made is a breach too."""
    nulls = tuple(_find_nulls(row))
    if nulls:
        return nulls
    sample = StoredSample(row, settings)
    shapes = tuple(_guard(_check_shapes, sample))
    checks = _VALUE_CHECKS if shapes else (*_VALUE_CHECKS, *_PIXEL_CHECKS)
    return (*shapes, *(breach for check in checks for breach in _guard(check, sample)))


def _guard(
    check: Callable[[StoredSample], Iterator[Breach]], sample: StoredSample
) -> Iterator[Breach]:
    try:
        yield from check(sample)
    except ScanmillError as error:
        yield Breach(error.thing, error.found, error.expected)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        yield Breach(check.__name__.removeprefix("_"), str(error), "values that can be checked")


def _find_nulls(row: Row) -> Iterator[Breach]:
    for column in SAMPLE_COLUMNS:
        cell = row.get(column.name)
        missing = cell is None or (isinstance(cell, dict) and cell["bytes"] is None)
        if missing and not column.nullable:
            yield Breach(column.name, "null", "a value")


def _check_shapes(sample: StoredSample) -> Iterator[Breach]:
    side = sample.settings.resolution
    expected = (sample.camera.height, sample.camera.width)
    if sample.camera.model.resolution is None and expected != (side, side):
        yield Breach("height, width", str(expected), str((side, side)))
    shapes = {"mask": sample.mask.shape, "depth": sample.depth[0].shape}
    shapes["normals"] = sample.normals[0].shape[:2]
    images = ("image", *LOSSLESS_IMAGES, *(["iuv"] if sample.row["iuv"] else []))
    shapes |= {name: sample.image(name).shape[:2] for name in images}
    for name, shape in shapes.items():
        if shape != expected:
            yield Breach(f"size of {name}", str(shape), str(expected))
    starts = {"image": _JPEG_START} | dict.fromkeys((*LOSSLESS_IMAGES, "mask"), _PNG_START)
    for name, start in starts.items():
        if not sample.encoded(name).startswith(start):
            yield Breach(f"codec of {name}", repr(sample.encoded(name)[:8]), repr(start))
    codec = EXR_CODECS[sample.settings.exr_compression]
    for name in ("depth", "normals"):
        stored = exr_compression_of(sample.encoded(name))
        if stored != codec.stored:
            label = f"{codec.stored} ({codec.label})"
            yield Breach(f"codec of {name}", f"compression {stored}", label)


def _check_names(sample: StoredSample) -> Iterator[Breach]:
    row, view = sample.row, sample.view
    if view is None:
        found = f"yaw {row['yaw']}, pitch {row['pitch']}, camera {row['camera']}"
        yield Breach("view", found, "a view of the settings")
    elif sample.sample_id != (name := view.sample_id(f"{row['dataset']}/{row['item']}")):
        yield Breach("sample_id", sample.sample_id, name)
    if row["split"] not in SPLITS:
        yield Breach("split", str(row["split"]), " or ".join(SPLITS))
    seed = derive_seed(sample.settings.seed, sample.sample_id)
    if row["seed"] != seed:
        yield Breach("seed", str(row["seed"]), str(seed))


def _check_camera(sample: StoredSample) -> Iterator[Breach]:
    if sample.view is None or not sample.camera.model.is_fixed:
        return  # its view depends on the sample; the keypoints hold it to its images
    expected = sample.camera.model.camera(sample.camera.width)
    pairs = {
        "intrinsics": (sample.camera.K, expected.K),
        "world_to_camera": (sample.camera.world_to_camera, expected.world_to_camera),
    }
    for name, (found, right) in pairs.items():
        if not np.allclose(found, right, rtol=CAMERA_TOLERANCE, atol=CAMERA_TOLERANCE):
            yield Breach(name, _list(found), _list(right))


def _check_placement(sample: StoredSample) -> Iterator[Breach]:
    matrix = sample.numbers("mesh_to_world").reshape(4, 4)
    turn = matrix[:3, :3]
    scale = np.cbrt(np.linalg.det(turn))
    is_similarity = scale > 0 and np.allclose(turn.T @ turn, scale**2 * np.eye(3), rtol=0,
                                              atol=1e-6 * scale**2)  # fmt: skip
    if not (is_similarity and np.array_equal(matrix[3], [0, 0, 0, 1])):
        yield Breach("mesh_to_world", _list(matrix), "a turn, a scale and a shift")
    metres = cast("float", sample.row["metres_per_unit"])
    if not 0 < metres < np.inf:
        yield Breach("metres_per_unit", str(metres), "a positive number")
    if sample.row["metric_source"] not in METRIC_SOURCES:
        yield Breach("metric_source", str(sample.row["metric_source"]), " or ".join(METRIC_SOURCES))


def _check_keypoints(sample: StoredSample) -> Iterator[Breach]:
    points = sample.numbers("joints_camera").reshape(JOINT_COUNT, 3)
    known = sample.keypoints[:, 2] == 1
    finite = np.isfinite(points).all(axis=1)
    if sample.settings.origin == "imported" and not finite.any():
        return  # images say where a joint is in the image, not where in space
    if not np.array_equal(known, finite):
        yield Breach("keypoints known", _list(np.flatnonzero(known)), _list(np.flatnonzero(finite)))
        return
    if sample.keypoints[~known].any():
        yield Breach("unknown keypoints", "values", "0, 0, 0")
    K = sample.camera.K
    flat = points[known]
    if sample.camera.is_perspective:
        flat = flat / flat[:, 2:]
    expected = flat[:, :2] * np.diag(K)[:2] + K[:2, 2]
    error = np.abs(sample.keypoints[known, :2] - expected)
    limit = KEYPOINT_TOLERANCE_PX * np.maximum(1, np.abs(expected) / sample.camera.width)
    if (error > limit).any():
        yield Breach(
            "keypoints",
            f"{error.max():.3f} px off",
            "the projection of joints_camera by intrinsics",
        )


def _check_keypoint_facts(sample: StoredSample) -> Iterator[Breach]:
    known = sample.keypoints[:, 2] == 1
    source, occluded = sample.numbers("keypoint_source"), sample.numbers("keypoint_occluded")
    if source.max() > max(KeypointSource) or not np.array_equal(source > 0, known):
        yield Breach("keypoint_source", _list(source), "0 where unknown, 1 to 4 where known")
    size = (sample.camera.width, sample.camera.height)
    places = np.floor(sample.keypoints[:, :2])
    inside = known & (places >= 0).all(axis=1) & (places < size).all(axis=1)
    inside &= sample.settings.origin == "rendered"
    if not (np.isin(occluded, OCCLUSION_VALUES).all() and (inside == (occluded < 2)).all()):  # noqa: PLR2004 - 0 and 1 are known
        yield Breach("keypoint_occluded", _list(occluded), "0 or 1 inside the image, else 255")


def _check_mask(sample: StoredSample) -> Iterator[Breach]:
    levels = np.flatnonzero(np.bincount(sample.mask_levels.ravel()))
    if not np.isin(levels, (0, MASK_INSIDE)).all():
        yield Breach("mask", f"levels {_list(levels)}", "0 and 255")
    if not sample.mask.any():
        yield Breach("mask", "empty", "a person in the image")
    nothing = np.zeros_like(sample.mask)
    back = sample.mask if sample.has_back else nothing
    others = {
        "front depth": (sample.depth[0] > 0, sample.mask),
        "back depth": (sample.depth[1] > 0, back),
        "front normals": (_is_set(sample.normals[0]), sample.mask),
        "back normals": (_is_set(sample.normals[1]), back),
    }
    for name, (covered, expected) in others.items():
        differing = int((covered != expected).sum())
        if differing:
            silhouette = "one silhouette" if expected is sample.mask else "none: no back is known"
            yield Breach(f"mask and {name}", f"{differing} pixels differ", silhouette)


def _check_depth(sample: StoredSample) -> Iterator[Breach]:
    front, back = sample.depth
    if not (np.isfinite(front).all() and np.isfinite(back).all()):
        yield Breach("depth", "values that are not finite", "ray lengths")
        return
    if min(front.min(), back.min()) < 0:
        yield Breach("depth", f"{min(front.min(), back.min()):.4g}", "0 or more")
    behind = int((front > back).sum()) if sample.has_back else 0
    if behind:
        yield Breach("depth", f"front behind back in {behind} pixels", "front <= back")


def _check_normals(sample: StoredSample) -> Iterator[Breach]:
    rays = sample.rays_inside()
    known = (("front", sample.normals[0], 1), ("back", sample.normals[1], -1))
    for name, normals, side in known if sample.has_back else known[:1]:
        inside = normals[sample.mask].astype(np.float64)
        if not np.isfinite(inside).all():
            yield Breach(f"{name} normals", "values that are not finite", "unit length")
            continue
        off = np.abs(np.sqrt(np.einsum("ij,ij->i", inside, inside)) - 1)
        if (off > UNIT_TOLERANCE).any():
            yield Breach(f"{name} normals", f"length off by {off.max():.4f}", "unit length")
        away = (side * np.einsum("ij,ij->i", inside, rays) > UNIT_TOLERANCE).sum()
        if away:
            yield Breach(
                f"{name} normals", f"{away} on the wrong side",
                "front ones face the viewer, back ones turn away",
            )  # fmt: skip


def _check_colors(sample: StoredSample) -> Iterator[Breach]:
    for name in LOSSLESS_IMAGES:
        outside = int((_is_set(sample.image(name)) & ~sample.mask).sum())
        if outside:
            yield Breach(name, f"{outside} coloured pixels outside the mask", "black")
    if sample.row["iuv"] and sample.image("iuv")[..., 0].max() > _PARTS:
        yield Breach("iuv", f"part {sample.image('iuv')[..., 0].max()}", "0 to 24")


_VALUE_CHECKS = (
    _check_names, _check_camera, _check_placement, _check_keypoints, _check_keypoint_facts,
)  # fmt: skip
_PIXEL_CHECKS = (_check_mask, _check_depth, _check_normals, _check_colors, check_plausibility)


def _is_set(image: Shaped[np.ndarray, "H W 3"]) -> Bool[np.ndarray, "H W"]:
    """Return where any of three channels is not 0; far quicker than any() along a short axis."""
    first, second, third = (image[..., channel] != 0 for channel in range(3))
    covered: Bool[np.ndarray, "H W"] = first | second | third
    return covered


def _list(values: Shaped[np.ndarray, "..."]) -> str:
    return np.array2string(np.asarray(values).ravel(), precision=6, separator=", ", threshold=40)
