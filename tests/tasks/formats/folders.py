"""Exports and imports as the flows run them, in this process and without Prefect."""

from pathlib import Path

from schemas.camera import LayoutName
from schemas.dataset_folder import DatasetFolder
from tasks.formats.exporting import ExportTarget
from tasks.formats.importing import import_samples
from tasks.formats.outcomes import ExportOutcome, ImportOutcome
from tasks.formats.registry import FORMATS


def export_to(
    to: Path, layout: LayoutName, *uris: Path, allow_other_resolution: bool = True
) -> ExportOutcome:
    """Export data sets into a folder."""
    folders = [DatasetFolder.at(str(uri)) for uri in uris]
    target = ExportTarget(to, allow_other_resolution)
    return FORMATS[layout].plan_export(folders, target).run(target)


def import_from(source: Path, layout: LayoutName, uri: Path) -> ImportOutcome:
    """Import the samples of a folder."""
    row = FORMATS[layout]
    samples = row.open_folder(source).samples
    assert samples is not None
    return import_samples(source, str(uri), samples, row.read_sample)
