"""Watch the memory of one process that draws many scans.

    PYTHONPATH=. python benchmarks/memory.py [--scans 200] [--resolution 1024] [--texture 2048]

Each scan is uploaded, drawn from two yaws, lit and freed, as a worker does it. Compared to itself:
the lowest resident memory of the last 42 scans should lie at most 8 MiB above that of 42 scans
after a warm-up (single readings wander by some 20 MiB, as the allocator and the driver's threads
keep and give back pages), and the device should hold as many objects. Ends with 1 if not so.
"""

import argparse
import sys
from dataclasses import replace

import numpy as np
import psutil

from renderers.egl import GLContext
from renderers.gl import GL
from renderers.lighting import choose_spot_lights, draw_lit
from renderers.rasterizer import Rasterizer
from schemas.camera import camera_2k2k
from schemas.scan import Material, Mesh
from tests.renderers.figures import folded_figure, rotation_y

WARM_UP = 20
WINDOW = 42
"""Fourteen of each figure, which differ in size."""

ALLOWED_MIB = 8.0
MIB = 2**20


def main() -> int:
    """Print resident memory now and then; return 1 when it grew or objects were left."""
    arguments = parse_arguments()
    random = np.random.default_rng(0)
    figures = [folded_figure(steps=steps) for steps in (40, 56, 48)]
    resident, objects = [], []
    with GLContext.open(arguments.device) as context:
        print(f"{context.info.renderer}, {arguments.scans} scans at {arguments.resolution}")
        for number in range(arguments.scans):
            texture = random.integers(0, 256, (arguments.texture, arguments.texture, 3), np.uint8)
            mesh = replace(figures[number % 3], materials=(Material("paint", texture),))
            draw_scan(context, mesh, arguments.resolution, random)
            resident.append(resident_mib())
            objects.append(count_objects())
            if number % 20 == 0:
                print(f"{number:>5} scans  {resident[-1]:8.1f} MiB  {objects[-1]:>4} objects")
    before = min(resident[WARM_UP : WARM_UP + WINDOW])
    grown, left = min(resident[-WINDOW:]) - before, objects[-1] - objects[WARM_UP]
    print(f"after warm-up: {grown:+.1f} MiB, {left:+d} objects")
    return int(grown > ALLOWED_MIB or left != 0)


def draw_scan(context: GLContext, mesh: Mesh, resolution: int, random: np.random.Generator) -> None:
    """Draw one scan from two yaws, with light."""
    camera = camera_2k2k(resolution)
    with Rasterizer(context, mesh) as rasterizer:
        for yaw in (-20.0, 10.0):
            rasterizer.draw(camera, rotation_y(yaw))
            draw_lit(rasterizer, camera, rotation_y(yaw), choose_spot_lights(random))


def resident_mib() -> float:
    """Return what of this process stands in memory."""
    return float(psutil.Process().memory_info().rss) / MIB


def count_objects() -> int:
    """Count the GL objects of all kinds, among the names that are handed out first."""
    kinds = (
        GL.glIsTexture, GL.glIsBuffer, GL.glIsVertexArray, GL.glIsFramebuffer,
        GL.glIsProgram, GL.glIsSampler, GL.glIsRenderbuffer,
    )  # fmt: skip
    return sum(bool(exists(name)) for exists in kinds for name in range(1, 2000))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Watch the memory of a process that draws.")
    parser.add_argument("--scans", type=int, default=200)
    parser.add_argument("--resolution", type=int, default=1024)
    parser.add_argument("--texture", type=int, default=2048)
    parser.add_argument("--device", type=int, default=None)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
