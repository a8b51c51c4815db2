"""One photograph through 2K2K, but for the nets: its input, and its files from a prediction."""

from time import perf_counter

import numpy as np

from schemas.errors import as_utf8
from schemas.prediction import read_arrays, write_arrays
from tasks.reconstruction.meshing import choose_meshing
from tasks.reconstruction.person_files import PUBLISHED_FACTOR, PersonAim, write_person
from tasks.reconstruction.person_input import prepare_person
from tasks.reconstruction.photo_folder import PhotoRecord, new_folder, write_record
from tasks.reconstruction.photo_jobs import PhotoJob
from tasks.reconstruction.photos import read_photo
from tasks.reconstruction.surfaces import make_surfaces


def prepare(job: PhotoJob) -> None:
    """Write the input of the nets; raises InputError when the photograph can't serve."""
    photo = read_photo(job.path)
    resolution = job.request.resolution or job.card.resolution
    prepared = prepare_person(photo, job.request, resolution)
    window = prepared.window
    extra = {
        "is_cut": np.array(prepared.is_cut),
        "window": np.array([window.left, window.top, window.side]),
    }
    write_arrays(job.input, {**prepared.arrays(), **extra})


def finish(job: PhotoJob) -> float:
    """Write the photograph's folder from what the nets predicted; returns seconds."""
    began_s = perf_counter()
    given, predicted = read_arrays(job.input), read_arrays(job.output)
    mask = given["mask"] if bool(given["is_cut"]) else None
    surfaces, scale = make_surfaces(predicted, given["image"], mask), find_scale(job)
    with new_folder(job.final, job.input.parent) as folder:
        aim = PersonAim(job.name, scale, job.request.meshing)
        seconds = write_person(folder, surfaces, predicted, given["keypoints"], aim)
        seconds["all"] = round(perf_counter() - began_s, 3)
        left, top, side = (float(one) for one in given["window"])
        record = PhotoRecord(
            method=job.request.method,
            photo=as_utf8(str(job.path)),
            made_of=job.made_of,
            resolution=surfaces.front.shape[0],
            scale=scale,
            window=(left, top, side),
            keypoints=[tuple(row) for row in given["keypoints"].tolist()],
            meshing=choose_meshing(job.request.meshing),
            seconds=seconds,
        )
        write_record(folder, record)
    return seconds["all"]


def find_scale(job: PhotoJob) -> float:
    """Return what clouds and meshes are multiplied by: 1, or less for published weights."""
    asked = job.request.published_scale
    is_published = job.card.is_published if asked == "auto" else asked == "on"
    return 1 / PUBLISHED_FACTOR if is_published else 1.0
