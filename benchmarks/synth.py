"""Time the making of people, and draw them on a sheet to be looked at.

    PYTHONPATH=. python benchmarks/synth.py [--people 3] [--seed 1]
    PYTHONPATH=. python benchmarks/synth.py --sheet people.jpg [--heads] [--beside DATA]

Without --sheet: processor seconds on one core, for each detail and texture size: of the stages of
sculpted people, then of whole lifelike ones, in a process that has made one before.
With it: twenty lifelike people on one sheet (`people_sheet.py`); with --beside also the real man of
DATA (RenderPeople's layout) as the last one.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from benchmarks.people_sheet import draw_cell, lay_out
from people.figure import rng_for
from people.human import make_human
from people.person import (
    POSE_PURPOSE,
    Detail,
    build_model,
    draw_pose,
    make_person,
    paint_model,
    pose_model,
)
from people.published_files import encode_jpeg, format_obj
from people.smplx_fit import finish_person
from people.stage import atlas_mesh
from renderers.egl import GLContext
from schemas.scan import ScanRef
from tasks.samples.scan_reading import load_scan

DETAILS: tuple[Detail, ...] = ("full", "fast", "sketch")
TEXTURES = (512, 2048, 4096)
ROW = "{:>8} {:>10} {:>7} {:>7}" + " {:>9}" * len(TEXTURES)
COLUMNS, PEOPLE = 7, 21
LIFELIKE: tuple[tuple[Detail, int], ...] = (("fast", 512), ("full", 2048), ("full", 8192))
REAL_MAN = "rp_mhmale_posed_001"


def main() -> None:
    """Time people, or draw the sheet."""
    arguments = parse_arguments()
    if arguments.sheet is None:
        time_people(arguments.seed, arguments.people)
        return
    images = draw_people(arguments.seed, arguments.beside, heads=arguments.heads)
    arguments.sheet.write_bytes(encode_jpeg(lay_out(images, COLUMNS)))
    print(f"{len(images)} people on {arguments.sheet}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sheet", type=Path, default=None)
    parser.add_argument("--heads", action="store_true", help="draw the heads alone")
    parser.add_argument("--beside", type=Path, default=None)
    return parser.parse_args()


def time_people(seed: int, people: int) -> None:
    """Print mean processor seconds for one person: building, posing, painting."""
    print(ROW.format("detail", "triangles", "build", "pose", *(f"paint {t}" for t in TEXTURES)))
    for detail in DETAILS:
        rows = [time_person(seed, index, detail) for index in range(people)]
        mean = np.mean(rows, axis=0)
        print(ROW.format(detail, int(mean[0]), *(f"{value:.2f} s" for value in mean[1:])))
    start = time.process_time()
    person = make_person(seed, 0)
    scan = finish_person(person)
    texts = len(format_obj(scan, scan.vertices, "a.mtl")) + len(encode_jpeg(person.texture))
    print(f"whole person, full, 2048, with its files: {time.process_time() - start:.2f} s", end=" ")
    print(f"({texts / 1e6:.1f} MB)")
    make_human(seed, people, texture_size=64, detail="fast")
    for kind, size in LIFELIKE:
        seconds = [time_human(seed, index, kind, size) for index in range(people)]
        middle, worst = float(np.median(seconds)), max(seconds)
        print(f"lifelike, {kind}, {size}: median {middle:.2f} s, worst {worst:.2f} s of {people}")


def time_human(seed: int, index: int, kind: Detail, size: int) -> float:
    """Return processor seconds of one lifelike person."""
    begun = time.process_time()
    make_human(seed, index, texture_size=size, detail=kind)
    return time.process_time() - begun


def time_person(seed: int, index: int, detail: Detail) -> list[float]:
    """Return triangles, and processor seconds of each stage."""
    start = time.process_time()
    model = build_model(seed, index, detail=detail)
    built = time.process_time()
    posed = pose_model(model, draw_pose(model, rng_for(seed, index, POSE_PURPOSE)))
    times = [built - start, time.process_time() - built]
    for texture in TEXTURES:
        begun = time.process_time()
        paint_model(model, posed, texture)
        times.append(time.process_time() - begun)
    return [float(len(model.faces)), *times]


def draw_people(seed: int, beside: Path | None, *, heads: bool) -> list[UInt8[np.ndarray, "h w 3"]]:
    """Return a cell for each person."""
    people = PEOPLE - 1 if beside is not None else PEOPLE
    with GLContext.open() as context:
        cells = []
        for index in range(people):
            human = make_human(seed, index)
            mesh = atlas_mesh(human.vertices, human.faces, human.atlas, human.texture)
            cells.append(draw_cell(context, mesh, head=heads))
        if beside is not None:
            ref = ScanRef(dataset="RP", item=REAL_MAN, subject=REAL_MAN, split="train")
            cells.append(draw_cell(context, load_scan(beside, ref).mesh, head=heads))
    return cells


if __name__ == "__main__":
    main()
