"""Compare our images of a real scan with ray casting.

    PYTHONPATH=. python benchmarks/fidelity.py DATA [--item rp_mhmale_posed_001] [--resolution 2048]

DATA is a data root in RenderPeople's layout. Front and back surface of seven yaws are compared with
Embree (trimesh + embreex): overlap of the masks, and the share of the common pixels whose ray
length lies within one stored unit, 1 / (32 f). Targets: 0.9999 both. Ends with 1 if one is missed.

Where pixels do differ, says of which kind they are: another triangle that the pixel's centre misses
by less than the device's 1/256 pixel grid (an edge with a step in depth behind it), or the same
triangle seen edge-on, where one unit of depth is less than float32 gives.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.raycast import RayHits, agree, cast_surfaces
from renderers.egl import GLContext
from renderers.placement import place_scan
from renderers.rasterizer import Rasterizer
from schemas.sample import Surface
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View, camera_of
from tasks.samples.scan_reading import load_scan

YAWS = (-30, -20, -10, 0, 10, 20, 30)
TARGET = 0.9999
ROW = "{:>5} {:>6} {:>14} {:>12} {:>9} {:>12} {:>8} {:>9}"


def main() -> int:
    """Print one line a surface; return 1 when a target is missed."""
    arguments = parse_arguments()
    ref = ScanRef(dataset="RP", item=arguments.item, subject=arguments.item, split="train")
    scan = load_scan(arguments.data, ref)
    placement = place_scan(scan.mesh, ref, assumed_height_m=RenderSettings().assumed_height_m)
    missed = 0
    with GLContext.open(arguments.device) as context, Rasterizer(context, scan.mesh) as rasterizer:
        print(f"{ref.item}, {len(scan.mesh.faces)} triangles, {context.info.renderer}")
        print(
            ROW.format("yaw", "side", "mask overlap", "within 1/32", "common", "worst (1/32)",
                       "off edge", "edge-on")
        )  # fmt: skip
        for yaw in YAWS:
            view = View(yaw)
            camera = camera_of(view, arguments.resolution)
            mesh_to_world = placement.turned(view)
            ours = rasterizer.draw(camera, mesh_to_world)
            hits = cast_surfaces(scan.mesh, camera, mesh_to_world)
            unit = 1 / (32 * camera.focal_px)
            found = agree(ours, hits, tolerance=unit)
            for side, one, surface, hit in zip(
                ("front", "back"), found, (ours.front, ours.back), hits, strict=True
            ):
                other, same = kinds_of_misses(surface, hit, unit)
                print(
                    ROW.format(yaw, side, f"{one.mask_overlap:.7f}", f"{one.within:.7f}",
                               one.common, f"{one.worst / unit:.1f}", other, same)
                )  # fmt: skip
                missed += one.mask_overlap < TARGET or one.within < TARGET
    print(f"{2 * len(YAWS) - missed} of {2 * len(YAWS)} surfaces reach {TARGET}")
    return int(missed > 0)


def kinds_of_misses(surface: Surface, hit: RayHits, unit: float) -> tuple[int, int]:
    """Count pixels past one unit: of another triangle than Embree's, and of the same one."""
    common = (surface.triangle >= 0) & (hit.triangle >= 0)
    past = common & (np.abs(surface.depth - hit.length) > unit)
    same = past & (surface.triangle == hit.triangle)
    return int((past & ~same).sum()), int(same.sum())


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--item", default="rp_mhmale_posed_001")
    parser.add_argument("--resolution", type=int, default=2048)
    parser.add_argument("--device", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
