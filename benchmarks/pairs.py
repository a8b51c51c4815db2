"""How fast and how right are matches between frames? Against brute force, and against the truth.

    python benchmarks/pairs.py                     people that are made here
    python benchmarks/pairs.py --data DIR          and the sequences of a data root

Prints: milliseconds for a pair of 256 and of 1024 pixels a side, and how many times as long brute
force and a k-d tree take in the same run; memory over 10,000 pairs; and for synthetic videos, how
far apart the true surface points of matched pixels are, as a share of body height.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.guard import hold
from people.video_writer import write_synthetic_videos
from schemas.pairing import PairSettings
from tasks.video.images import read_iuv
from tasks.video.matching import BodyPixels, Lattice, Matches, list_body_pixels, match_frames
from tasks.video.sequences import find_sequences, list_frames

RUNS = 5
PAIRS = 10_000
SETTINGS = PairSettings()
LIMIT_MS, LIMIT_GAIN = 20.0, 20.0
"""Wanted of a 256-pixel pair on one core."""

SHARE_LIMIT_PX = 2.0


def main() -> None:
    """Make people, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a data root with sequences")
    parser.add_argument("--frames", type=int, default=16, help="of each synthetic video")
    parser.add_argument("--figures", choices=("lifelike", "sculpted"), default="lifelike")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_synthetic_videos(root, videos=2, frames=given.frames, seed=0, figures=given.figures)
        for name, video in find_sequences(root):
            measure_speed(f"{name} (synthetic)", video)
            measure_truth(name, video, root / "truth" / name)
        for name, video in find_sequences(given.data) if given.data else ():
            measure_speed(name, video)
        measure_memory(find_sequences(root)[0][1])


def measure_speed(name: str, video: Path) -> None:
    """Time one pair at 256 and at 1024 pixels a side, each against the plain ways."""
    iuv = [pixels for _, pixels in read_video(video)]
    iuv_i, iuv_j = iuv[0], iuv[min(3, len(iuv) - 1)]
    for scale in (1, 4):
        frames = [list_body_pixels(one.repeat(scale, 0).repeat(scale, 1)) for one in (iuv_i, iuv_j)]
        lattice = Lattice(SETTINGS.max_distance)
        ours = time_best(lambda: match_frames(frames[0], frames[1], SETTINGS, lattice))  # noqa: B023 - called at once
        tree = time_best(lambda: match_by_trees(frames[0], frames[1]))  # noqa: B023 - called at once
        line = f"{name}, {256 * scale} px, {len(frames[0].place)} body pixels: {ours:.1f} ms"
        line += (
            f", {1e6 * ours / len(frames[0].place):.0f} ns a pixel; k-d trees {tree / ours:.0f}x"
        )
        if scale == 1:
            plain = time_best(lambda: match_by_brute_force(frames[0], frames[1]), runs=2)  # noqa: B023 - called at once
            line += f"; brute force {plain / ours:.0f}x as long"
            line += f" (wanted: {LIMIT_MS:.0f} ms at most, {LIMIT_GAIN:.0f}x at least)"
            hold(f"pairs.{name}", plain / ours)
            check_equal(frames)
        print(line)


def measure_truth(name: str, video: Path, truth: Path) -> None:
    """Compare the true surface points at both ends of the matches of all neighbours."""
    frames = {number: list_body_pixels(pixels) for number, pixels in read_video(video)}
    rest = {number: np.load(truth / f"{number:07d}.npz")["rest"] for number in frames}
    height_cm = max(float(np.nanmax(points[..., 1])) for points in rest.values()) - min(
        float(np.nanmin(points[..., 1])) for points in rest.values()
    )
    lattice, apart, tolerance = Lattice(SETTINGS.max_distance), [], []
    for number, body in frames.items():
        tolerance.append(uv_step_cm(rest[number], body))
        for stride in SETTINGS.strides:
            if number + stride in frames:
                found = match_frames(body, frames[number + stride], SETTINGS, lattice)
                ends = points_at_ends(found, rest[number], rest[number + stride])
                apart.append(np.linalg.norm(ends[0] - ends[1], axis=1))
    share = np.concatenate(apart) / height_cm
    at = np.percentile(share, [50, 95, 99])
    one_step = float(np.median(np.concatenate(tolerance))) / height_cm
    print(
        f"{name}: {len(share)} matches, surface points apart by {at[0]:.2%} (median), {at[1]:.2%} "
        f"(95 %), {at[2]:.2%} (99 %) of body height; one pixel and one UV step: {one_step:.2%}"
    )


def uv_step_cm(rest: np.ndarray, body: BodyPixels) -> np.ndarray:
    """Return how far the surface moves from each body pixel to its right neighbour."""
    rows, columns = np.divmod(body.place, body.width)
    inside = columns < body.width - 1
    here, right = rest[rows[inside], columns[inside]], rest[rows[inside], columns[inside] + 1]
    steps = np.linalg.norm(here - right, axis=1)
    finite: np.ndarray = steps[np.isfinite(steps)]
    return finite


def points_at_ends(
    found: Matches, rest_i: np.ndarray, rest_j: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return the surface points at both ends of matches."""
    pixels = found.pixels
    return rest_i[pixels[:, 0], pixels[:, 1]], rest_j[pixels[:, 2], pixels[:, 3]]


def measure_memory(video: Path) -> None:
    """Match 10,000 pairs and print how the process grew after the first hundred."""
    frames = [list_body_pixels(pixels) for _, pixels in read_video(video)]
    lattice, ends = Lattice(SETTINGS.max_distance), list(pairwise(frames))
    before, start = 0, time.perf_counter()
    for number in range(PAIRS):
        if number == 100:  # noqa: PLR2004 - everything is allocated by then
            before = peak_kb()
        match_frames(*ends[number % len(ends)], SETTINGS, lattice)
    rate = PAIRS / (time.perf_counter() - start)
    print(f"{PAIRS} pairs: {rate:.0f} a second, memory grew by {peak_kb() - before} KB")


def match_by_brute_force(frame_i: BodyPixels, frame_j: BodyPixels) -> np.ndarray:
    """Compare every pixel of a part with every pixel of it; returns places, -1 for none."""
    found = np.full(len(frame_i.place), -1)
    for here, there, uv_i, uv_j in by_part(frame_i, frame_j):
        apart = ((uv_i[:, None, :] - uv_j[None, :, :]) ** 2).sum(axis=-1)
        near = apart.min(axis=1) < SETTINGS.max_distance**2
        found[here[near]] = frame_j.place[there[apart.argmin(axis=1)[near]]]
    return found


def match_by_trees(frame_i: BodyPixels, frame_j: BodyPixels) -> np.ndarray:
    """Ask a k-d tree for each part; among equals it takes any."""
    found = np.full(len(frame_i.place), -1)
    for here, there, uv_i, uv_j in by_part(frame_i, frame_j):
        apart, nearest = cKDTree(uv_j).query(uv_i, distance_upper_bound=SETTINGS.max_distance)
        near = apart < SETTINGS.max_distance
        found[here[near]] = frame_j.place[there[nearest[near]]]
    return found


def by_part(
    frame_i: BodyPixels, frame_j: BodyPixels
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield rows in both frames and their UV, part by part."""
    for part in range(1, 25):
        here, there = (np.flatnonzero(frame.part == part) for frame in (frame_i, frame_j))
        if len(here) and len(there):
            uv_i = np.stack([frame_i.u[here], frame_i.v[here]], axis=1).astype(np.float32)
            uv_j = np.stack([frame_j.u[there], frame_j.v[there]], axis=1).astype(np.float32)
            yield here, there, uv_i, uv_j


def check_equal(frames: list[BodyPixels]) -> None:
    """Stop when the plain way finds anything else."""
    lattice = Lattice(SETTINGS.max_distance)
    lattice.fill(frames[1])
    ours = lattice.find(frames[0]).astype(np.int64)
    plain = match_by_brute_force(frames[0], frames[1])
    ours[ours == np.iinfo(np.int32).max] = -1
    if not np.array_equal(ours, plain):
        raise SystemExit(f"{(ours != plain).sum()} matches differ from brute force")


def read_video(folder: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Yield number and canonical IUV of each frame."""
    for files in list_frames(folder.name, folder).frames:
        yield files.number, read_iuv(files.images["densepose"]).iuv


def time_best(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the shortest of several runs, in milliseconds."""
    spent = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return 1000 * min(spent)


def peak_kb() -> int:
    """Return the highest memory of this process so far, in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
