"""The published folder layouts, filled with people of our own.

    obj/RP/<item>_OBJ/<item>_100k.obj, .mtl, tex/<item>_dif.jpg    centimetres, y up, facing +z
    Joint3D/RP/<item>.json                                         133 COCO-WholeBody joints
    IndoorCVPR09/<category>/<picture>.jpg                          rooms
    synth.json                                                     what made each of these files

Every file is written under a temporary name and renamed; what is there already is kept.
Source of the layout: 2k2k-dataset.md, Input folders.
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import RequestError
from tasks.synth.backgrounds import background_name, draw_background
from tasks.synth.joints import FACE_FROM, LEFT_HAND_FROM
from tasks.synth.person import Detail, Person, make_person

DatasetChoice = Literal["RP", "THuman2", "2K2K", "all"]
Progress = Callable[[str], None]

GENERATOR_VERSION = 1
"""Raised whenever the same seed gives other bytes: older files are then made anew."""
STAMP = "synth.json"
JPEG_QUALITY = 95
BACKGROUND_WIDTH, BACKGROUND_HEIGHT = 1365, 1024


class Job(BaseModel):
    """One thing to make: a person or a background. Its settings decide its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["RP", "background"]
    seed: int = Field(description="the run's seed")
    index: int = Field(description="which person or picture")
    texture_size: int = Field(default=0, description="texels a side")
    detail: Detail = "full"
    markers: bool = False
    version: int = GENERATOR_VERSION

    @property
    def name(self) -> str:
        """Return the item's name: what the stamp files it under."""
        if self.kind == "background":
            return background_name(self.seed, self.index)
        return f"rp_synth{self.index:03d}_posed_001"


def write_synthetic_root(
    out: Path,
    *,
    subjects: int,
    seed: int,
    texture_size: int = 2048,
    dataset: DatasetChoice = "RP",
    backgrounds: int = 8,
    workers: int = 1,
    progress: Progress | None = None,
    markers: bool = False,
    detail: Detail = "full",
) -> tuple[str, ...]:
    """Write a data root in the published layouts; return the names of the people in it.

    Files that an equal call made before are kept. progress: told one line for each item.
    Raises RequestError for a number that makes no sense.
    """
    _check(subjects, texture_size, dataset)
    people = [
        Job(
            kind="RP", seed=seed, index=i, texture_size=texture_size, detail=detail, markers=markers
        )
        for i in range(subjects)
    ]
    rooms = [Job(kind="background", seed=seed, index=i) for i in range(backgrounds)]
    jobs = [*people, *rooms]
    stamp = _read_stamp(out)
    todo = [job for job in jobs if not _is_whole(out, job, stamp)]
    for done, (job, files) in enumerate(_run(out, todo, workers), start=1):
        stamp[job.name] = {"job": job.model_dump(), "files": files}
        _write_stamp(out, stamp)
        if progress is not None:
            progress(f"{done}/{len(todo)} {job.name}")
    return tuple(job.name for job in people)


def _check(subjects: int, texture_size: int, dataset: DatasetChoice) -> None:
    if subjects < 0 or texture_size < 64 or texture_size % 16:
        raise RequestError(
            "the synthetic root",
            met=f"{subjects} subjects, texture {texture_size}",
            wanted="0 or more subjects, a texture of 64 or more in steps of 16",
            way_out="Change --subjects or --texture.",
        )
    if dataset != "RP":
        raise RequestError(
            "the synthetic root",
            met=f"layout {dataset}",
            wanted="RP",
            way_out="Leave --dataset out.",
        )


def _run(out: Path, jobs: list[Job], workers: int) -> Iterator[tuple[Job, dict[str, int]]]:
    if workers <= 1 or len(jobs) <= 1:
        yield from ((job, make_files(out, job)) for job in jobs)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=spawn) as pool:
        yield from zip(jobs, pool.map(make_files, [out] * len(jobs), jobs), strict=True)


def make_files(out: Path, job: Job) -> dict[str, int]:
    """Make one job's files below `out`; return their sizes in bytes by relative path."""
    contents = _background_files(job) if job.kind == "background" else _rp_files(job)
    sizes = {}
    for path, content in contents.items():
        write_whole(out / path, content)
        sizes[path] = len(content)
    return sizes


def _background_files(job: Job) -> dict[str, bytes]:
    picture = draw_background(job.seed, job.index, width=BACKGROUND_WIDTH, height=BACKGROUND_HEIGHT)
    return {f"IndoorCVPR09/{job.name}": encode_jpeg(picture)}


def _rp_files(job: Job) -> dict[str, bytes]:
    person = make_person(
        job.seed, job.index, texture_size=job.texture_size, detail=job.detail, markers=job.markers
    )
    name = job.name
    folder = f"obj/RP/{name}_OBJ"
    return {
        f"{folder}/{name}_100k.obj": format_obj(person, f"{name}_100k.mtl"),
        f"{folder}/{name}_100k.mtl": format_mtl(name, f"tex/{name}_dif.jpg"),
        f"{folder}/tex/{name}_dif.jpg": encode_jpeg(person.texture),
        f"Joint3D/RP/{name}.json": format_joints(person),
    }


def format_obj(person: Person, material_file: str) -> bytes:
    """Return the mesh as an OBJ with separate position and texture indices, from 1."""
    atlas = person.atlas
    corners = np.stack([person.faces + 1, atlas.faces + 1], axis=2).reshape(-1, 6)
    parts = (
        f"mtllib {material_file}\n",
        _lines("v %.5f %.5f %.5f\n", person.vertices),
        _lines("vt %.8f %.8f\n", atlas.uv),
        "usemtl skin\n",
        _lines("f %d/%d %d/%d %d/%d\n", corners),
    )
    return "".join(parts).encode()


def _lines(pattern: str, rows: np.ndarray) -> str:
    return (pattern * len(rows)) % tuple(rows.ravel().tolist())


def format_mtl(name: str, texture: str) -> bytes:
    """Return a material file with one textured material."""
    return (
        f"# {name}\nnewmtl skin\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 1\nmap_Kd {texture}\n".encode()
    )


def format_joints(person: Person) -> bytes:
    """Return the `Joint3D` JSON; the face's 68 points are marked not visible, as in real ones."""
    visible = np.ones(len(person.joints), int)
    visible[FACE_FROM:LEFT_HAND_FROM] = 0
    joints = np.round(person.joints, 6).tolist()
    return json.dumps({"joint3d": joints, "visible": visible.tolist()}).encode()


def encode_jpeg(picture: np.ndarray) -> bytes:
    """Return an RGB picture as a JPEG of quality 95."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), flags)
    return data.tobytes()


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it to disk, and rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _read_stamp(out: Path) -> dict[str, dict[str, object]]:
    path = out / STAMP
    if not path.is_file():
        return {}
    try:
        stamp = json.loads(path.read_text())
    except json.JSONDecodeError:
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(out: Path, stamp: dict[str, dict[str, object]]) -> None:
    text = json.dumps(dict(sorted(stamp.items())), indent=1, sort_keys=True)
    write_whole(out / STAMP, text.encode())


def _is_whole(out: Path, job: Job, stamp: dict[str, dict[str, object]]) -> bool:
    entry = stamp.get(job.name, {})
    files = entry.get("files")
    if entry.get("job") != job.model_dump() or not isinstance(files, dict):
        return False
    return all((out / p).is_file() and (out / p).stat().st_size == s for p, s in files.items())
