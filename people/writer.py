"""The published folder layouts, filled with people of our own.

    obj/RP/<item>_OBJ/<item>_100k.obj, .mtl, tex/<item>_dif.jpg    centimetres, y up, facing +z
    obj/THuman2/data/<id>/, obj/THuman2/smplx/<id>/                file units, with SMPL-X fits
    obj/2K2K/<id>/<id>.ply, kp3ds.json                             metres, vertex colours
    Joint3D/<dataset>/<item>.json                                  133 COCO-WholeBody joints
    DensePose/<dataset>/<item>.npy                                 part, U and V of each face: ours
    smplx_models/smplx/SMPLX_MALE.npz                              the stand-in that the fits fit
    IndoorCVPR09/<category>/<image>.jpg                          rooms
    known/<dataset>/<item>/      of lifelike people: naked body, labels, albedo, bones, traits
    synth.json                                                     what made each of these files

Every file is written under a temporary name and renamed; what is there already is kept.
Source of the layout: docs/2k2k-dataset.md, "Input folders".
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from people.human import finish_scan, make_human
from people.human_fit import format_human_model
from people.human_mesh import piece_mesh
from people.made_scan import FigureKind, MadeScan
from people.person import Detail, make_person
from people.published_files import (
    Files,
    encode_jpeg,
    render_people_files,
    thuman_files,
    two_k_files,
)
from people.rawness import roughen
from people.rooms import background_name, draw_background
from people.smplx_fit import finish_person
from people.smplx_model import format_model
from people.stamp import OnItem, Sizes, SynthJob, check_kind, make_missing, write_files
from schemas.errors import RequestError
from schemas.spawned_pool import spawned_pool

PersonKind = Literal["RP", "THuman2", "2K2K"]
DatasetChoice = Literal[PersonKind, "all"]

GENERATOR_VERSION = 7
"""Raised whenever the same seed gives other bytes: older files are then made again."""
VERSIONS: dict[FigureKind, int] = {"sculpted": GENERATOR_VERSION, "lifelike": 109}
"""Of each kind of people."""
MODEL_JOB = {"kind": "model", "seed": 0, "texture_size": 0, "detail": "full", "markers": False}
FIRST_INDEX: dict[PersonKind, int] = {"RP": 0, "THuman2": 1000, "2K2K": 2000}
"""Each layout shows other people."""
FIRST_ID = 9000
"""Ids from here on: no published scan has one, so no published correction applies."""
MODEL_PATH = "smplx_models/smplx/SMPLX_MALE.npz"
"""The stand-in model, as `smplx.create` wants it below its model folder."""
LARGE_ROOMS = (
    (1365, 1024), (1600, 1200), (1280, 1024), (2048, 1365),
    (1024, 1280), (1920, 1080), (1536, 1152), (1100, 1100),
)  # fmt: skip
OTHER_ROOMS = ((640, 480), (256, 256), (4000, 3000), (200, 150), (1024, 768), (2560, 1600))
"""Width and height of the first eight rooms, large enough for 2048; and of those that follow."""


class RootJob(SynthJob):
    """A person, a room or the stand-in model."""

    kind: Literal[PersonKind, "background", "model"]
    markers: bool = False
    figures: FigureKind = "sculpted"
    raw: bool = False
    version: int = GENERATOR_VERSION

    @property
    def name(self) -> str:
        """Return the item's name, or the path below the room's folder."""
        if self.kind == "background":
            return background_name(self.index)
        if self.kind == "model":
            return MODEL_PATH
        if self.kind != "RP":
            return f"{FIRST_ID + self.index:04d}"
        return f"rp_synth{self.index:03d}_posed_001"

    @property
    def key(self) -> str:
        """Return kind and name."""
        return f"{self.kind}/{self.name}"

    def stamped(self) -> dict[str, object]:
        """Return the fields as stamps have them: those from before there were two kinds too."""
        fields = self.model_dump()
        if self.figures == "sculpted" or self.kind == "background":
            del fields["figures"]
        if not self.raw:
            del fields["raw"]
        return fields


def write_synthetic_root(
    out: Path,
    *,
    subjects: int,
    seed: int,
    texture_size: int = 2048,
    dataset: DatasetChoice = "RP",
    backgrounds: int = 8,
    workers: int = 1,
    progress: OnItem | None = None,
    markers: bool = False,
    detail: Detail = "full",
    figures: FigureKind = "lifelike",
    raw: bool = False,
) -> tuple[str, ...]:
    """Write a data root in the published layouts; return the names of the people in it.

    texture_size: texels a side, in steps of 16. Files that an equal call made before are kept.
    progress: told one line for each item. Raises RequestError for a number that makes no sense, and
    where the root holds the other kind of people.
    """
    _check(subjects, texture_size)
    check_kind(out, figures)
    _check_raw(figures, raw=raw)
    kinds: tuple[PersonKind, ...] = tuple(FIRST_INDEX) if dataset == "all" else (dataset,)
    look = RootJob(
        kind="RP", seed=seed, index=0, texture_size=texture_size, detail=detail, markers=markers,
        figures=figures, raw=raw, version=VERSIONS[figures],
    )  # fmt: skip
    people = [
        look.model_copy(update={"kind": kind, "index": number})
        for kind in kinds
        for number in range(subjects)
    ]
    rooms = [RootJob(kind="background", seed=seed, index=number) for number in range(backgrounds)]
    model = [look.model_copy(update=MODEL_JOB)] if "THuman2" in kinds else []
    make_missing(out, [*people, *rooms, *model], partial(_make_all, out, workers), progress)
    return tuple(job.name for job in people)


def _check(subjects: int, texture_size: int) -> None:
    if subjects < 0 or texture_size < 64 or texture_size % 16:
        raise RequestError(
            "the synthetic root",
            found=f"{subjects} subjects, texture {texture_size}",
            expected="0 or more subjects, a texture of 64 or more in steps of 16",
            hint="Change --subjects or --texture.",
        )


def _check_raw(figures: FigureKind, *, raw: bool) -> None:
    if raw and figures != "lifelike":
        raise RequestError(
            "raw scans",
            found=f"{figures} figures",
            expected="lifelike figures",
            hint="Add --figures lifelike, or leave --raw out.",
        )


def _make_all(out: Path, workers: int, jobs: list[RootJob]) -> Iterator[tuple[RootJob, Sizes]]:
    if workers <= 1 or len(jobs) <= 1:
        yield from ((job, make_files(out, job)) for job in jobs)
        return
    with spawned_pool(min(workers, len(jobs))) as pool:
        yield from zip(jobs, pool.map(make_files, [out] * len(jobs), jobs), strict=True)


def make_files(out: Path, job: RootJob) -> Sizes:
    """Make one job's files below `out`; return their sizes in bytes by relative path."""
    return write_files(out, iter(_make(job).items()))


def _make(job: RootJob) -> Files:
    if job.kind == "background":
        width, height = background_size(job.index)
        image = draw_background(job.seed, job.index, width=width, height=height)
        return {f"IndoorCVPR09/{job.name}": encode_jpeg(image)}
    if job.kind == "model":
        lifelike = job.figures == "lifelike"
        return {MODEL_PATH: format_human_model() if lifelike else format_model()}
    scan = _make_scan(job, job.kind)
    if job.kind == "RP":
        return render_people_files(scan, job.name)
    if job.kind == "THuman2":
        return thuman_files(scan, job.name, job.seed)
    return two_k_files(scan, job.name, job.detail)


def _make_scan(job: RootJob, kind: PersonKind) -> MadeScan:
    index = FIRST_INDEX[kind] + job.index
    if job.figures == "lifelike":
        human = make_human(job.seed, index, texture_size=job.texture_size, detail=job.detail)
        scan = finish_scan(human, fitted=kind == "THuman2")
        if not job.raw:
            return scan
        skin = piece_mesh("skin", 0)
        body = skin.place(human.posed.vertices).astype(np.float64)
        return roughen(scan, job.seed, (body, skin.faces))
    person = make_person(
        job.seed,
        index,
        texture_size=job.texture_size,
        detail=job.detail,
        markers=job.markers,
    )
    return finish_person(person)


def background_size(index: int) -> tuple[int, int]:
    """Return the width and height of a room's image."""
    if index < len(LARGE_ROOMS):
        return LARGE_ROOMS[index]
    return OTHER_ROOMS[(index - len(LARGE_ROOMS)) % len(OTHER_ROOMS)]
