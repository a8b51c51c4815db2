"""Shards of samples as HDNet's labelled set: numbered, seen by HDNet's camera, written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.camera import CAMERA_MODELS, CameraName
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.settings import RenderSettings
from tasks.dataset.stored_rows import read_stored_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.exporting import ExportPiece, WrittenShard
from tasks.formats.hdnet.frame_list import LabelledFrame
from tasks.formats.hdnet.hdnet_frames import write_frame
from tasks.formats.hdnet.hdnet_layout import LABELLED, HdnetFolder, seven_digits
from tasks.formats.hdnet.labelled_sample import LAYOUT, label_sample


class ExportedSamples(WrittenShard):
    """What was written of one shard of samples. refused: what HDNet's camera could not see."""

    samples: tuple[LabelledFrame, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPiece(ExportPiece):
    """The samples of one shard, with the number of its first."""

    settings: RenderSettings
    first_number: int

    def write(self) -> ExportedSamples:
        """Write the samples that HDNet's camera can see; the others are named."""
        target = HdnetFolder(self.staging / LABELLED.folder, LABELLED)
        written, refused = list[LabelledFrame](), list[str]()
        for number, row in enumerate(
            read_stored_rows(self.folder, self.shard_id), start=self.first_number
        ):
            sample = StoredSample(row, self.settings)
            if not is_convertible(sample.camera.name):
                continue  # an orthographic view beside a perspective one: nothing is lost
            try:
                frame = label_sample(sample)
            except InputError as error:
                why = f"{error.found}; expected {error.expected}"
                refused.append(f"{error.thing}: not for HDNet: {why}")
                continue
            write_frame(target, number, frame)
            named = {"name": seven_digits(number), "has_iuv": frame.iuv is not None}
            kept = {key: row[key] for key in ("sample_id", "split")}
            written.append(LabelledFrame.model_validate(named | kept))
        return ExportedSamples(samples=tuple(written), refused=tuple(refused))


def is_convertible(camera: CameraName) -> bool:
    """Return whether samples of this camera can become labelled ones."""
    return LAYOUT in CAMERA_MODELS[camera].layouts


def plan_samples(folders: Sequence[DatasetFolder], staging: Path) -> Iterator[SamplesPiece]:
    """Give numbers to the samples of all committed shards whose camera can be converted."""
    number = 0
    for folder in folders:
        settings = folder.read_description().settings
        for shard_id in folder.committed_shards() if is_convertible(settings.camera) else ():
            yield SamplesPiece(
                folder=folder, shard_id=shard_id, staging=staging, settings=settings,
                first_number=number,
            )  # fmt: skip
            number += folder.read_manifest(shard_id).rows
