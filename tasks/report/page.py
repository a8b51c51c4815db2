"""The report page: what a data set or a training run holds, on one self-contained HTML page.

Everything is inlined (images as data addresses, style, no script, no font from elsewhere), so
that the page can be mailed and opened years later. Text from data sets is escaped.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from statistics import median

import jinja2

from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.fits import FitCheck
from schemas.manifest import Failure, Manifest, RunRecord
from schemas.settings import RenderSettings
from schemas.wording import format_bytes
from tasks.dataset.card import sum_up_videos
from tasks.dataset.planning import planned_scans, read_plan
from tasks.dataset.run_records import read_runs
from tasks.dataset.states import dataset_status
from tasks.evaluation.tables import RESULT
from tasks.report.contact_sheet import LAYERS, Tile, encode_for_page, sample_strips, sample_wall
from tasks.report.evaluation_section import EvaluationSection, describe_evaluation
from tasks.samples.sample_shards import SAMPLES
from tasks.video.match_image import draw_widest_pairs
from tasks.video.video_shards import VIDEOS

STRIP_LIMIT, STRIP_SIDE = 12, 160
WALL_LIMIT, WALL_SIDE = 96, 120
MATCH_LIMIT = 6
TABLE_LIMIT = 200
"""Rows of a table on the page; more are counted, not shown."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the page: its name and its data address."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class DatasetSection:
    """What the page says of one data set."""

    uri: str
    tiles: tuple[tuple[str, str], ...]
    inputs: str
    states: Mapping[str, int]
    troubles: tuple[tuple[str, str, str], ...]
    failures: tuple[Failure, ...]
    failures_left_out: int
    warnings: tuple[str, ...]
    warnings_left_out: int
    layers: Sequence[str]
    strips: tuple[Image, ...]
    wall: tuple[Image, ...]
    matches: tuple[Image, ...]
    seconds: tuple[tuple[str, float, float], ...]
    settings: Mapping[str, object]
    renderers: tuple[str, ...]
    runs: tuple[RunRecord, ...]


@dataclass(frozen=True, slots=True)
class TrainingSection:
    """What the page says of one training run: facts, its curve, its sample images."""

    uri: str
    facts: tuple[tuple[str, str], ...]
    validation: tuple[tuple[str, str], ...]
    images: tuple[Image, ...]


def build_report(uris: Sequence[str], out: Path) -> Path:
    """Write the page about data sets, trainings and evaluations, whole or not at all.

    Returns its path. Raises RequestError when a folder is none of them.
    """
    sections = [_section(uri, out) for uri in uris]
    page = _template().render(
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        datasets=[one for one in sections if isinstance(one, DatasetSection)],
        trainings=[one for one in sections if isinstance(one, TrainingSection)],
        evaluations=[one for one in sections if isinstance(one, EvaluationSection)],
    )
    write_atomically(out, page)
    return out


def _section(uri: str, out: Path) -> DatasetSection | TrainingSection | EvaluationSection:
    folder = DatasetFolder.at(uri)
    if folder.has_description:
        return describe_dataset(folder)
    if folder.store.stamp("run.json") is not None:
        return describe_training(folder.root)
    if folder.store.stamp(RESULT) is not None:
        return describe_evaluation(folder.root, out)
    raise RequestError(
        uri, found="neither dataset.json nor run.json nor evaluation.json",
        expected="a data set, a training folder or an evaluation",
        hint="Give what `scanmill render`, `scanmill train` or `scanmill evaluate` wrote to --out.",
    )  # fmt: skip


def describe_dataset(folder: DatasetFolder) -> DatasetSection:
    """Gather what the page says of a data set."""
    description = folder.read_description()
    manifests = [folder.read_manifest(shard_id) for shard_id in folder.committed_shards()]
    status, videos = (dataset_status(folder, kind) for kind in (SAMPLES, VIDEOS))
    shards = (*status.shards, *videos.shards)
    failures = tuple(failure for manifest in manifests for failure in manifest.failures)
    failures += videos.failures
    warnings = tuple(warning for manifest in manifests for warning in manifest.warnings)
    return DatasetSection(
        uri=folder.address,
        tiles=(*_tiles(folder, manifests, failures), *_tiles_of_videos(folder)),
        inputs=status.inputs.sentence.capitalize(),
        states=dict(Counter(shard.state for shard in shards)),
        troubles=tuple(
            (shard.shard_id, shard.state, "; ".join(shard.reasons))
            for shard in shards
            if shard.state != "done"
        )[:TABLE_LIMIT],
        failures=failures[:TABLE_LIMIT],
        failures_left_out=max(0, len(failures) - TABLE_LIMIT),
        warnings=warnings[:TABLE_LIMIT],
        warnings_left_out=max(0, len(warnings) - TABLE_LIMIT),
        layers=LAYERS,
        strips=_images(sample_strips(folder, limit=STRIP_LIMIT, side=STRIP_SIDE)),
        wall=_images(sample_wall(folder, limit=WALL_LIMIT, side=WALL_SIDE)),
        matches=_images(
            Tile(name, image) for name, image in islice(draw_widest_pairs(folder), MATCH_LIMIT)
        ),
        seconds=_seconds_by_stage(manifests),
        settings=_readable_settings(description.settings),
        renderers=tuple(sorted({manifest.renderer for manifest in manifests})),
        runs=tuple(reversed(read_runs(folder)))[:TABLE_LIMIT],
    )


def describe_training(root: Path) -> TrainingSection:
    """Gather what the page says of a training run."""
    run = json.loads((root / "run.json").read_text())
    validation_path = root / "validation.json"
    validation = json.loads(validation_path.read_text()) if validation_path.is_file() else {}
    sheets = root / "samples"
    held_out = sorted(sheets.glob("validation-*.png"))[-1:]
    paths = [root / "curve.png", *held_out, *sorted(sheets.glob("step-*.png"))[-2:]]
    return TrainingSection(
        uri=str(root),
        facts=_flat(run),
        validation=_flat(validation),
        images=tuple(
            Image(path.name, _address(path.read_bytes(), "png")) for path in paths if path.is_file()
        ),
    )


def _tiles(
    folder: DatasetFolder, manifests: Sequence[Manifest], failures: Sequence[Failure]
) -> tuple[tuple[str, str], ...]:
    scans = planned_scans(read_plan(folder))
    splits = Counter(scan.split for scan in scans)
    return (
        ("scans", f"{len(scans):,}"),
        ("people", f"{len({(scan.dataset, scan.subject) for scan in scans}):,}"),
        ("samples", f"{sum(manifest.rows for manifest in manifests):,}"),
        ("failed samples", f"{len(failures):,}"),
        ("size", format_bytes(sum(manifest.bytes for manifest in manifests))),
        ("train / val / test scans", f"{splits['train']} / {splits['val']} / {splits['test']}"),
        *_tile_of_fits([check for manifest in manifests for check in manifest.fits]),
    )


def _tiles_of_videos(folder: DatasetFolder) -> tuple[tuple[str, str], ...]:
    """Say how many videos, frames and pairs there are, where there are any."""
    totals = sum_up_videos(folder)
    return tuple((name, f"{count:,}") for name, count in totals.items())


def _tile_of_fits(checks: Sequence[FitCheck]) -> tuple[tuple[str, str], ...]:
    """Say how SMPL-X fits lie in their scans, where they were checked; misfits are warnings too."""
    if not checks:
        return ()
    misfits = sum(check.is_misfit for check in checks)
    overlap = median(check.overlap for check in checks)
    return (
        ("fits checked / misfits / median overlap", f"{len(checks)} / {misfits} / {overlap:.0%}"),
    )


def _seconds_by_stage(manifests: Sequence[Manifest]) -> tuple[tuple[str, float, float], ...]:
    """Return stage, seconds and share of the longest stage, longest first."""
    total: Counter[str] = Counter()
    for manifest in manifests:
        total.update(manifest.seconds)
    longest = max(total.values(), default=0.0) or 1.0
    return tuple((stage, spent, spent / longest) for stage, spent in total.most_common())


def _readable_settings(settings: RenderSettings) -> dict[str, object]:
    return {name.replace("_", " "): value for name, value in settings.model_dump().items()}


def _flat(value: Mapping[str, object], prefix: str = "") -> tuple[tuple[str, str], ...]:
    """List the leaves of a JSON object by their dotted names."""
    rows: list[tuple[str, str]] = []
    for name, leaf in value.items():
        if isinstance(leaf, Mapping):
            rows += _flat(leaf, f"{prefix}{name}.")
        else:
            rows.append((prefix + name, _said(leaf)))
    return tuple(rows)


def _said(leaf: object) -> str:
    """Write a leaf of a JSON object as people read it."""
    if isinstance(leaf, bool):
        return "yes" if leaf else "no"
    if isinstance(leaf, float):
        return f"{leaf:.5g}"
    return ", ".join(map(str, leaf)) if isinstance(leaf, list) else str(leaf)


def _images(tiles: Iterable[Tile]) -> tuple[Image, ...]:
    return tuple(Image(tile.name, _address(encode_for_page(tile.image), "jpeg")) for tile in tiles)


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@cache
def _template() -> jinja2.Template:
    text = resources.files("tasks.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(text)
