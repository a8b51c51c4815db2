"""Seconds and memory of one photograph by stage, on one core of a CPU, without a GPU.

    python -m benchmarks.reconstruct [--sides 512 2048] [--width 1.0] [--poisson]

Nets: 2K2K of full width with random weights. Surfaces: a ball of as many pixels as a person.
Compared to the published reconstruction's steps on the same input: parts are warped at full size
and then cropped; nine maps are lifted over all pixels, and the cloud is written by trimesh;
--poisson: both close the same cloud by Open3D, at octree depth 10 for every size as published.
Every row is a process of its own: CPU seconds (threads added up) and its largest memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
import trimesh
from torch.nn import functional

from schemas.body_parts import GROUPS, PARTS, crop_size, group_members
from schemas.camera import ray_directions
from schemas.prediction import part_array
from tasks.reconstruction.clouds import SIDE_LAYERS, join_clouds, make_cloud, make_sides
from tasks.reconstruction.mesh_outputs import write_mesh, write_views
from tasks.reconstruction.overview import draw_overview
from tasks.reconstruction.person_files import write_maps
from tasks.reconstruction.poisson import NEIGHBOURS, PUBLISHED_DEPTH, reconstruct_poisson
from tasks.reconstruction.sheets import make_sheets
from tasks.reconstruction.surfaces import Surfaces
from tests.tasks.reconstruction.photo_files import draw_figure, joints_of
from tests.tasks.reconstruction.shapes import ball_surfaces
from training.inference.person_predictor import prepare_image
from training.inference.strips import refine_in_strips
from training.twok2k.alignment import PartTransforms, complete_joints, cut_parts, fit_parts
from training.twok2k.person_nets import NormalPrediction, PersonDepthNets, build_depth_nets
from training.twok2k.surface_nets import DepthPrediction

RADIUS = 0.19
"""Scene units: the ball covers 13% of the image, a standing person of 0.7 about as much."""

Stages = dict[str, Callable[[], object]]


def main() -> None:
    """Measure every row in a process of its own and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sides", type=int, nargs="+", default=[512, 2048])
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--poisson", action="store_true")
    parser.add_argument("--row", choices=sorted(ROWS))
    given = parser.parse_args()
    if given.row:
        measure(ROWS[given.row](given.sides[0], given.width))
        return
    rows = [row for row in ROWS if given.poisson or "poisson" not in row]
    for side in given.sides:
        for row in rows:
            command = [sys.executable, "-m", "benchmarks.reconstruct", "--row", row]
            options = ["--sides", str(side), "--width", str(given.width)]
            said = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
            found = json.loads(said.stdout.splitlines()[-1])
            stages = ", ".join(f"{name} {value:.2f} s" for name, value in found["cpu_s"].items())
            print(f"{side:5d}  {row:18s} {found['mib']:6d} MiB  {stages}", flush=True)


def measure(stages: Stages) -> None:
    """Run stages one after the other and print CPU seconds and the largest memory as JSON."""
    torch.set_num_threads(1)
    cpu_s = {}
    for name, work in stages.items():
        began_s = process_time()
        with torch.inference_mode():
            work()
        cpu_s[name] = round(process_time() - began_s, 3)
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"cpu_s": cpu_s, "mib": mib}))


def nets_row(side: int, width: float) -> Stages:
    """Predict with both phases."""
    image, mask = draw_figure(side, side)
    joints = torch.from_numpy(joints_of(side, side).astype(np.float32))[None]
    transforms = fit_parts(*complete_joints(joints, side))
    nets = build_depth_nets(width=width).eval()
    seen = prepare_image(image, mask)
    first = []
    return {
        "normals": lambda: first.append(nets.normals(seen, transforms)),
        "depth": lambda: refine(nets, first[0], transforms, side),
    }


def refine(
    nets: PersonDepthNets, first: NormalPrediction, transforms: PartTransforms, side: int
) -> DepthPrediction:
    """Refine the depth as the program does."""
    depth, blended, start = nets.join_parts(first, transforms, side)
    return refine_in_strips(nets.refinement, depth, blended, start)


def whole_nets_row(side: int, width: float) -> Stages:
    """Predict with both phases, the refinement over the whole image at once, as published."""
    stages = nets_row(side, width)
    depth, normals = torch.rand(1, 2, side // 8, side // 8), torch.rand(1, 6, side, side)
    nets = build_depth_nets(width=width).eval()
    return {"normals": stages["normals"], "depth": lambda: nets.refinement(depth, normals)}


def cut_row(side: int, _: float, *, is_published: bool) -> Stages:
    """Cut all parts out, at the size of the crops, or at full size and cropped afterwards."""
    joints = torch.from_numpy(joints_of(side, side).astype(np.float32))[None]
    transforms = fit_parts(*complete_joints(joints, side))
    image = torch.rand(1, 6, side, side)

    def cut_at_full_size() -> None:
        for group in GROUPS:
            height, width = crop_size(group, side)
            for place in group_members(group):
                theta = transforms.inverse[:, place]
                grid = functional.affine_grid(theta, [1, 6, side, side], align_corners=False)
                whole = functional.grid_sample(image, grid, align_corners=False)
                top, left = (side - height) // 2, (side - width) // 2
                whole[..., top : top + height, left : left + width].clone()

    def cut_crops() -> None:
        for group in GROUPS:
            chosen = transforms.select(group_members(group))
            cut_parts(image, chosen.inverse, crop_size(group, side))

    return {"cut parts": cut_at_full_size if is_published else cut_crops}


def files_row(side: int, _: float) -> Stages:
    """Make and write everything but the nets' work."""
    surfaces, folder = ball_surfaces(side, RADIUS), Path(tempfile.mkdtemp())
    flat = np.zeros((6, side, side), np.float16)
    predicted = {"normals": flat, "consistency": flat, part_array(PARTS[0].name): flat}
    mesh = make_sheets(surfaces, 1.0)
    overview = draw_overview(surfaces, predicted, joints_of(side, side))
    return {
        "maps": lambda: write_maps(folder, surfaces, predicted),
        "clouds": lambda: whole_cloud(surfaces),
        "mesh": lambda: make_sheets(surfaces, 1.0),
        "mesh files": lambda: write_mesh(folder, mesh),
        "page": lambda: write_views(folder, "ball", mesh, overview, ""),
    }


def whole_cloud(surfaces: Surfaces) -> tuple[np.ndarray, np.ndarray]:
    """Return points and directions of the cloud with side layers."""
    whole = join_clouds([make_cloud(surfaces, 1.0), make_sides(surfaces, 1.0)])
    return whole.points, whole.outwards


def published_clouds_row(side: int, _: float) -> Stages:
    """Lift nine maps over all pixels in float64, keep what is seen, write by trimesh."""
    surfaces, folder = ball_surfaces(side, RADIUS), Path(tempfile.mkdtemp())

    def lift_all() -> None:
        places, colors = [], []
        for _ in range(2 + len(SIDE_LAYERS)):
            points = ray_directions(surfaces.camera) * surfaces.front.astype(np.float64)[..., None]
            keep = surfaces.front.reshape(-1) > 0
            places.append(points.reshape(-1, 3)[keep])
            colors.append(surfaces.image.reshape(-1, 3)[keep])
        cloud: Any = trimesh.points
        points, seen = np.concatenate(places[:2]), np.concatenate(colors[:2])
        cloud.PointCloud(points, seen).export(folder / "cloud.ply")

    return {"clouds": lift_all}


def poisson_row(side: int, _: float, *, is_published: bool) -> Stages:
    """Close the cloud with side layers."""
    surfaces = ball_surfaces(side, RADIUS)
    whole = join_clouds([make_cloud(surfaces, 1.0), make_sides(surfaces, 1.0)])

    def close_as_published() -> None:
        import open3d  # noqa: PLC0415 - an extra

        cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(whole.points))
        cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(NEIGHBOURS))
        open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=PUBLISHED_DEPTH)

    ours = lambda: reconstruct_poisson(whole, side)  # noqa: E731 - one of two
    return {"poisson": close_as_published if is_published else ours}


ROWS: dict[str, Callable[[int, float], Stages]] = {
    "nets": nets_row,
    "nets, published": whole_nets_row,
    "cut": lambda side, width: cut_row(side, width, is_published=False),
    "cut, published": lambda side, width: cut_row(side, width, is_published=True),
    "files": files_row,
    "clouds, published": published_clouds_row,
    "poisson": lambda side, width: poisson_row(side, width, is_published=False),
    "poisson, published": lambda side, width: poisson_row(side, width, is_published=True),
}

if __name__ == "__main__":
    main()
