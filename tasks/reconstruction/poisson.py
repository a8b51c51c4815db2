"""Screened Poisson reconstruction of a cloud by Open3D, where the extra `mesh` is installed.

Normals come from each point's nearest 70 neighbours, as published. Which way they point is known
here (the published code guesses it from the most extreme vertices): front points face the camera,
back points turn away, and those at the sides turn away from the person's middle.
Source: docs/reconstruction.md, "Meshes".
"""

import importlib.util
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from schemas.errors import DependencyError
from tasks.reconstruction.clouds import Cloud
from tasks.reconstruction.sheets import ColoredMesh

LIBRARY = "open3d"
PUBLISHED_DEPTH, PUBLISHED_AT = 10, 2048
"""Of the octree, and at which resolution: halved pixels need one level less."""

NEIGHBOURS = 70
TRIMMED_AT = 3.0
"""Spacings of the points: vertices farther than that from every point have no data."""

MIN_TRIMMED = 0.01
"""Scene units: sides that are seen from nowhere are bridged up to there."""


def is_installed() -> bool:
    """Return whether the library is there; it is not loaded."""
    return importlib.util.find_spec(LIBRARY) is not None


def reconstruct_poisson(cloud: Cloud, resolution: int) -> ColoredMesh:
    """Mesh a cloud. resolution: pixels a side of the maps that it was lifted from.

    Raises DependencyError when the library, or a system library of its own, is missing.
    """
    open3d = _load()
    points = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(cloud.points))
    points.colors = open3d.utility.Vector3dVector(cloud.colors / 255.0)
    points.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
    normals = np.asarray(points.normals)
    wrong = np.einsum("nk,nk->n", normals, cloud.outwards) < 0
    points.normals = open3d.utility.Vector3dVector(np.where(wrong[:, None], -normals, normals))
    depth = PUBLISHED_DEPTH - round(np.log2(PUBLISHED_AT / resolution))
    mesh, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(
        points, depth=depth, n_threads=-1
    )
    return _trim(
        np.asarray(mesh.vertices), np.asarray(mesh.triangles).astype(np.int32), cloud
    )  # fmt: skip


def _trim(vertices: Float[np.ndarray, "V 3"], faces: np.ndarray, cloud: Cloud) -> ColoredMesh:
    """Drop what lies far from all data, and colour the rest by the nearest points."""
    tree = cKDTree(cloud.points)
    sample = cloud.points[:: max(1, len(cloud.points) // 2000)]
    spacing = float(np.median(tree.query(sample, k=2)[0][:, 1]))
    distance, nearest = tree.query(vertices, workers=-1)
    near = distance <= max(TRIMMED_AT * spacing, MIN_TRIMMED)
    kept = faces[near[faces].all(axis=1)]
    used = np.zeros(len(vertices), bool)
    used[kept] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    return ColoredMesh(vertices[used], number[kept], cloud.colors[nearest[used]])


def _load() -> Any:  # noqa: ANN401 - a library without types
    try:
        import open3d  # noqa: PLC0415 - an extra of 0.4 GB
    except (ImportError, OSError) as error:
        raise DependencyError(
            "--meshing poisson", found=f"Open3D can't be loaded ({error!s:.100})",
            expected="the extra `mesh` and libusb-1.0-0",
            hint="Run `make photos`, or pip install 'scanmill[mesh]' and apt-get install "
            "libusb-1.0-0; or give --meshing sheets.",
        ) from error  # fmt: skip
    return open3d
