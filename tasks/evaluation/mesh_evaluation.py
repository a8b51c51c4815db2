"""One mesh against one scan: read, align, measure, with all that the figures depend on."""

import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np

from renderers.session import open_session
from schemas.errors import MachineError, RequestError
from schemas.evaluation import (
    Convergence,
    MeshResult,
    Protocol,
    SurfaceRecord,
    UnitSource,
)
from schemas.regular_files import digest_regular_file
from tasks.evaluation.aligning import align
from tasks.evaluation.convergence import check_convergence
from tasks.evaluation.shape_files import ShapeFile, read_shape
from tasks.evaluation.surface import ShapeSurface
from tasks.evaluation.surface_measures import measure_surfaces
from tasks.evaluation.view_measures import measure_views

ASSUMED_HEIGHT_CM = 170.0
"""Of a scan whose file has no unit; as rendering assumes. Source: docs/2k2k-dataset.md."""

LIBRARIES = ("libigl", "numpy", "scipy", "trimesh")
Say = Callable[[str], None]


def evaluate_mesh(
    mesh_path: Path,
    scan_path: Path,
    protocol: Protocol,
    *,
    cm_per_unit: float | None = None,
    say: Say = lambda _line: None,
) -> MeshResult:
    """Measure a mesh or a point cloud against a scan; both in the same unit and frame.

    cm_per_unit: of both files' coordinates; None: the unit of the scan's layout, else what makes
    it 170 cm tall. say: is told each step. Raises InputError for a file that can't be read.
    """
    began = perf_counter()
    say(f"read {mesh_path} and {scan_path}")
    mesh, scan = read_shape(mesh_path), read_shape(scan_path)
    unit, source = find_unit(scan, cm_per_unit)
    warnings = _warn_of_files(mesh, scan, source, unit)
    moved, alignment = align(
        mesh.surface.moved(unit), scan.surface.moved(unit), protocol.align, seed=protocol.seed
    )
    target = scan.surface.moved(unit)
    say(f"measure distances of {protocol.points} points")
    distances = measure_surfaces(moved, target, protocol)
    say(f"draw {len(protocol.yaws)} views")
    seen, view_warnings = _look(moved, target, protocol)
    checks = (
        check_convergence("mesh_to_scan_cm", distances.mesh_to_scan),
        check_convergence("scan_to_mesh_cm", distances.scan_to_mesh),
    )
    return MeshResult(
        mesh=_describe(mesh), scan=_describe(scan), protocol=protocol, cm_per_unit=unit,
        unit_source=source, alignment=alignment, measures=distances.measures | seen,
        convergence=checks, warnings=(*warnings, *view_warnings, *_warn_of_points(checks)),
        versions=library_versions(), seconds=perf_counter() - began,
    )  # fmt: skip


def find_unit(scan: ShapeFile, given: float | None) -> tuple[float, UnitSource]:
    """Return centimetres for a unit of the files, and how that is known."""
    if given is not None:
        return given, "given"
    if scan.cm_per_unit is not None:
        return scan.cm_per_unit, "file"
    height = float(np.ptp(scan.surface.vertices[:, 1]))
    if not height > 0:
        raise RequestError(
            "--cm-per-unit", found="none, and a scan without height",
            expected="centimetres for a unit of both files", hint="Give it.",
        )  # fmt: skip
    return ASSUMED_HEIGHT_CM / height, "assumed_height"


def library_versions() -> dict[str, str]:
    """Return the versions of what decides figures."""
    named = {name: importlib.metadata.version(name) for name in (*LIBRARIES, "scanmill")}
    return {"python": sys.version.split()[0], **named}


def _look(
    mesh: ShapeSurface, scan: ShapeSurface, protocol: Protocol
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Measure views; a machine that can't draw, or a mesh that is out of view, is a warning."""
    if mesh.faces is None or scan.faces is None:
        return {}, ("a point cloud has no silhouette: views were left out",)
    try:
        return measure_views(mesh, scan, protocol, open_session()), ()
    except (MachineError, RequestError) as error:
        return {}, (f"views were left out: {error}",)


def _describe(file: ShapeFile) -> SurfaceRecord:
    faces = file.surface.faces
    return SurfaceRecord(
        path=str(file.path), kind="points" if faces is None else "mesh",
        vertices=len(file.surface.vertices), faces=0 if faces is None else len(faces),
        sha256=digest_regular_file(file.path)[1],
    )  # fmt: skip


def _warn_of_files(
    mesh: ShapeFile, scan: ShapeFile, source: UnitSource, unit: float
) -> tuple[str, ...]:
    warnings = [f"{one.path}: {line}" for one in (mesh, scan) for line in one.warnings]
    if source == "assumed_height":
        warnings.append(
            f"the scan's file has no unit: it is taken as {ASSUMED_HEIGHT_CM:g} cm tall, "
            f"{unit:.4g} cm for a unit; --cm-per-unit says it"
        )
    return tuple(warnings)


def _warn_of_points(checks: tuple[Convergence, ...]) -> tuple[str, ...]:
    return tuple(
        f"{one.measure}: {one.points} points leave a standard error of {one.relative_error:.1%}; "
        f"about {one.points_needed} make it 1%"
        for one in checks
        if not one.is_enough
    )
