"""Labelled samples written as the published set holds them: images, depth and normals as text."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from schemas.codecs import encode_mask, encode_png
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.settings import RenderSettings
from tasks.dataset.shards import read_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.hdnet.hdnet_layout import HdnetFolder, seven_digits
from tasks.formats.hdnet.labelled_sample import LabelledSample, is_convertible, label_sample
from tasks.formats.hdnet.published_images import encode_densepose, image_of_normals
from tasks.formats.hdnet.video_export import put
from tasks.video.number_grids import format_grid

SAMPLE_COLUMNS = ("name", "sample_id", "split", "has_iuv")


class LabelledWork(BaseModel):
    """The samples of one shard, with the number of its first; crosses process borders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    shard_id: str
    settings: RenderSettings
    first_number: int


class ExportedSample(BaseModel):
    """One row of frames.csv of the labelled set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sample_id: str
    split: str
    has_iuv: bool


class ExportedSamples(BaseModel):
    """What was written of one shard, and why some was not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    samples: tuple[ExportedSample, ...]
    refused: tuple[str, ...]


def plan_samples(folders: Sequence[DatasetFolder]) -> tuple[LabelledWork, ...]:
    """Give numbers to the samples of all committed shards of perspective cameras."""
    works, number = [], 0
    for folder in folders:
        settings = folder.read_description().settings
        for shard_id in folder.committed_shards():
            if not is_convertible(settings.camera):
                continue
            works.append(
                LabelledWork(
                    uri=str(folder.root), shard_id=shard_id, settings=settings, first_number=number
                )
            )
            number += folder.read_manifest(shard_id).rows
    return tuple(works)


def export_samples(work: LabelledWork, target: HdnetFolder) -> ExportedSamples:
    """Write the samples of one shard that HDNet's camera can see; the others are named."""
    written: list[ExportedSample] = []
    refused: list[str] = []
    for number, sample in enumerate(_samples_of(work), start=work.first_number):
        if not is_convertible(sample.camera.name):
            continue  # an orthographic view beside a perspective one: nothing is lost
        try:
            labelled = label_sample(sample)
        except InputError as error:
            refused.append(
                f"{error.thing}: not for HDNet: {error.found}; expected {error.expected}"
            )
            continue
        write_labelled(target, number, labelled)
        written.append(
            ExportedSample(
                name=seven_digits(number), sample_id=labelled.sample_id,
                split=str(sample.row["split"]), has_iuv=labelled.iuv is not None,
            )
        )  # fmt: skip
    return ExportedSamples(samples=tuple(written), refused=tuple(refused))


def write_labelled(target: HdnetFolder, number: int, sample: LabelledSample) -> None:
    """Write all files of one sample."""
    images = {
        "color": encode_png(sample.color),
        "color_WO_bg": encode_png(sample.color_on_white),
        "mask": encode_mask(sample.mask),
        "normal_png": encode_png(image_of_normals(sample.normals, sample.mask)),
    }
    if sample.iuv is not None:
        images["densepose"] = encode_densepose(sample.iuv)
    files: dict[Path, bytes] = {target.image(name, number): data for name, data in images.items()}
    files[target.depth(number)] = format_grid(sample.depth_m, ",").encode()
    for axis, path in enumerate(target.normals("normal", number)):
        files[path] = format_grid(sample.normals[..., axis], ",").encode()
    put(files)


def format_sample_list(samples: Iterable[ExportedSample]) -> str:
    """Write frames.csv of the labelled set."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SAMPLE_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sample.model_dump() for sample in samples)
    return text.getvalue()


def _samples_of(work: LabelledWork) -> Iterator[StoredSample]:
    path = DatasetFolder(Path(work.uri)).shard_path(work.shard_id)
    for row in read_rows(path):
        yield StoredSample(row, work.settings)
