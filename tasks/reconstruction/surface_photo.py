"""One photograph through HDNet, but for the nets: its input, and its files from a prediction."""

from time import perf_counter

import numpy as np

from schemas.errors import as_utf8
from schemas.prediction import read_arrays, write_arrays
from tasks.reconstruction.photo_folder import PhotoRecord, new_folder, write_record
from tasks.reconstruction.photo_jobs import PhotoJob
from tasks.reconstruction.photos import read_photo
from tasks.reconstruction.surface_files import write_surface
from tasks.reconstruction.surface_input import prepare_surface


def prepare(job: PhotoJob) -> None:
    """Write the input of the nets; raises InputError when the photograph can't serve."""
    prepared = prepare_surface(read_photo(job.path), job.request)
    window = prepared.window
    where = np.array([window.left, window.top, window.side])
    write_arrays(job.input, {**prepared.arrays(), "color": prepared.color, "window": where})


def finish(job: PhotoJob) -> float:
    """Write the photograph's folder from what the nets predicted; returns seconds."""
    began_s = perf_counter()
    given, predicted = read_arrays(job.input), read_arrays(job.output)
    left, top, side = (float(one) for one in given["window"])
    with new_folder(job.final, job.input.parent) as folder:
        write_surface(folder, job.name, given, predicted)
        seconds = round(perf_counter() - began_s, 3)
        record = PhotoRecord(
            method=job.request.method, photo=as_utf8(str(job.path)), made_of=job.made_of,
            resolution=given["mask"].shape[0], scale=1.0, window=(left, top, side),
            meshing="sheets", seconds={"all": seconds},
        )  # fmt: skip
        write_record(folder, record)
    return seconds
