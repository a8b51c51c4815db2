"""What the page says of an evaluation: the table of figures, the protocol, some people."""

import base64
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import cv2
from pydantic import ValidationError

from schemas.codecs import decode_image
from schemas.errors import RequestError
from schemas.evaluation import DataResult, ItemResult, MeshResult, Protocol
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_IMAGE_BYTES, MAX_TEXT_BYTES
from tasks.evaluation.measure_names import describe_measure, format_figure
from tasks.evaluation.shown_items import OVERVIEW, PAGE, TURNTABLE
from tasks.evaluation.tables import RESULT, Column, find_best, rows_of, single
from tasks.report.contact_sheet import encode_for_page

WIDTH_PX = 1472
"""Of the page's images."""


@dataclass(frozen=True, slots=True)
class Person:
    """A sample that is shown: its name, images as data addresses, its page beside the report."""

    name: str
    checkpoint: str
    images: tuple[str, ...]
    page: str


@dataclass(frozen=True, slots=True)
class EvaluationSection:
    """What the page says of one evaluation. rows: measure, figures, index of the best."""

    uri: str
    about: str
    titles: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...], int | None], ...]
    facts: tuple[tuple[str, str], ...]
    failures: tuple[tuple[str, str, str], ...]
    people: tuple[Person, ...]


def describe_evaluation(root: Path, page: Path) -> EvaluationSection:
    """Gather what the page says of an evaluation; page: where it will be, for links.

    Raises RequestError when evaluation.json can't be read.
    """
    result = _read_result(root / RESULT)
    if isinstance(result, DataResult):
        return _describe_data(root, page, result)
    return _describe_mesh(root, result)


def _read_result(path: Path) -> DataResult | MeshResult:
    data = read_whole(path, MAX_TEXT_BYTES)
    for kind in (DataResult, MeshResult):
        with suppress(ValidationError):
            return kind.model_validate_json(data)
    raise RequestError(
        str(path), found="a file that is no result of an evaluation",
        expected="what `scanmill evaluate` wrote", hint="Run the evaluation again.",
    )  # fmt: skip


def _describe_data(root: Path, page: Path, result: DataResult) -> EvaluationSection:
    columns = [Column(one.title, one.measures) for one in result.checkpoints]
    return EvaluationSection(
        uri=str(root),
        about=_say_what(result),
        titles=tuple(one.title for one in columns),
        rows=_rows(columns),
        facts=(*_facts(result.protocol), ("data", ", ".join(result.data))),
        failures=tuple(
            (one.sample_id, one.checkpoint, one.error) for one in result.results if one.error
        ),
        people=tuple(_show(root, page, one) for one in result.results if one.shown),
    )


def _say_what(result: DataResult) -> str:
    scans = len({"/".join(one.split("/")[:2]) for one in result.items})
    said = f"{len(result.items)} samples of {scans} scans, split {', '.join(result.split)}; "
    if scans == 1:
        return said + "no intervals: one scan says nothing about others"
    return said + f"in brackets {result.confidence:.0%} intervals of the mean over scans"


def _describe_mesh(root: Path, result: MeshResult) -> EvaluationSection:
    column = Column(
        Path(result.mesh.path).name,
        {name: single(value) for name, value in result.measures.items()},
    )
    return EvaluationSection(
        uri=str(root), about=f"against {result.scan.path}", titles=(column.title,),
        rows=_rows([column]), facts=_facts(result.protocol), failures=(), people=(),
    )  # fmt: skip


def _rows(columns: Sequence[Column]) -> tuple[tuple[str, tuple[str, ...], int | None], ...]:
    return tuple(
        (describe_measure(name), tuple(map(format_figure, figures)), find_best(name, figures))
        for name, figures in rows_of(columns)
    )


def _facts(protocol: Protocol) -> tuple[tuple[str, str], ...]:
    values = protocol.model_dump(mode="json")
    return tuple((name.replace("_", " "), str(value)) for name, value in values.items())


def _show(root: Path, page: Path, item: ItemResult) -> Person:
    folder = root / item.shown
    link = os.path.relpath(folder / PAGE, page.absolute().parent)
    images = [folder / name for name in (OVERVIEW, TURNTABLE)]
    return Person(
        name=item.sample_id, checkpoint=item.checkpoint, page=quote(link),
        images=tuple(_embed(path) for path in images if path.is_file()),
    )  # fmt: skip


def _embed(path: Path) -> str:
    """Return an image as a data address, at most as wide as the page."""
    image = decode_image(read_whole(path, MAX_IMAGE_BYTES))
    height, width = image.shape[:2]
    if width > WIDTH_PX:
        size = (WIDTH_PX, max(1, round(height * WIDTH_PX / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(image.dtype)
    return "data:image/jpeg;base64," + base64.b64encode(encode_for_page(image)).decode()
