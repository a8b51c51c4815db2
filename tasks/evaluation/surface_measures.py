"""Measures between two surfaces in space. Equations: docs/evaluation.md, "Measures"."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from schemas.evaluation import Measures, Protocol
from tasks.evaluation.closest import Closest, ClosestPoints
from tasks.evaluation.surface import ShapeSurface, SurfacePoints, draw_points


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """Distances from the points of each surface to the other one, in centimetres.

    mesh_to_scan: of points on the mesh. scan_to_mesh: of points on the scan. p2s: of the points
    that the protocol takes P2S from.
    """

    mesh_to_scan: Float64[np.ndarray, " N"]
    scan_to_mesh: Float64[np.ndarray, " M"]
    p2s: Float64[np.ndarray, " K"]
    measures: Measures


def measure_surfaces(
    mesh: ShapeSurface, scan: ShapeSurface, protocol: Protocol
) -> SurfaceDistances:
    """Measure P2S, Chamfer distance and normals of two surfaces in centimetres."""
    on_mesh = draw_points(mesh, protocol.points, protocol.seed, "mesh")
    on_scan = draw_points(scan, protocol.points, protocol.seed, "scan")
    of_scan, of_mesh = ClosestPoints(scan), ClosestPoints(mesh)
    to_scan, to_mesh = of_scan.find(on_mesh.positions), of_mesh.find(on_scan.positions)
    p2s = to_scan.distance if protocol.p2s_from == "mesh" else to_mesh.distance
    if protocol.sampling == "vertices":
        begin, finder = (mesh, of_scan) if protocol.p2s_from == "mesh" else (scan, of_mesh)
        p2s = finder.find(begin.vertices).distance
    forward, backward = float(to_scan.distance.mean()), float(to_mesh.distance.mean())
    measures = {
        "p2s_cm": float(p2s.mean()),
        "chamfer_cm": (forward + backward) / 2,
        "mesh_to_scan_cm": forward,
        "scan_to_mesh_cm": backward,
        "mesh_to_scan_rms_cm": float(np.sqrt((to_scan.distance**2).mean())),
        "hausdorff_cm": float(max(to_scan.distance.max(), to_mesh.distance.max())),
    }
    return SurfaceDistances(
        to_scan.distance, to_mesh.distance, p2s,
        measures | _measure_normals((on_mesh, to_scan), (on_scan, to_mesh)),
    )  # fmt: skip


def _measure_normals(*pairs: tuple[SurfacePoints, Closest]) -> Measures:
    """Compare normals at each point and at its closest one; none where a surface has no normals."""
    consistency, angle = [], []
    for points, closest in pairs:
        if points.normals is None or closest.normals is None:
            return {}
        cosine = np.clip(np.einsum("ij,ij->i", points.normals, closest.normals), -1, 1)
        consistency.append(float(np.abs(cosine).mean()))
        angle.append(float(np.degrees(np.arccos(cosine)).mean()))
    return {
        "normal_consistency": float(np.mean(consistency)),
        "normal_angle_degrees": float(np.mean(angle)),
    }
