"""Tables of figures: rows are measures, columns are what is compared; Markdown, CSV, LaTeX.

Intervals are those of the bootstrap over items (Efron, 1979): the percentiles of the mean over
scans drawn with repetition. They say how far the mean depends on who was in the split.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from schemas.atomic_files import write_atomically
from schemas.evaluation import Interval, MeshResult
from schemas.seeds import generator
from tasks.evaluation.measure_names import (
    HIGHER_IS_BETTER,
    describe_measure,
    format_figure,
    plain_name,
)

RESULT, TABLE = "evaluation.json", "evaluation"
"""Files of a result: figures with all that they depend on, and tables, whatever their format."""

CONFIDENCE = 0.95
RESAMPLES = 2000
_TEX = str.maketrans({"_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$"})


@dataclass(frozen=True, slots=True)
class Column:
    """What one column shows: its title, and figures by measure."""

    title: str
    figures: Mapping[str, Interval]


def resample(values: Sequence[float], items: Sequence[str], *, seed: int, measure: str) -> Interval:
    """Return the mean over samples with its bootstrap interval; the same for the same seed.

    items: of each value. Items are drawn with repetition, each with all its values: the views of
    one person say no more about other people than one view does. One item alone gives an interval
    without extent.
    """
    figures = np.asarray(values, np.float64)
    names, place = np.unique(np.asarray(items), return_inverse=True)
    sums, counts = np.bincount(place, figures), np.bincount(place)
    rng = generator(seed, "bootstrap", measure)
    drawn = rng.integers(0, len(names), (RESAMPLES, len(names)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(mean=float(figures.mean()), low=float(low), high=float(high), items=len(names))


def single(value: float) -> Interval:
    """Return a figure of one item, which has no interval."""
    return Interval(mean=value, low=value, high=value, items=1)


def write_tables(folder: Path, name: str, columns: Sequence[Column]) -> tuple[Path, ...]:
    """Write the table as Markdown, CSV and TeX, each whole or absent; returns their paths."""
    texts = {".md": to_markdown(columns), ".csv": to_csv(columns), ".tex": to_latex(columns)}
    paths = tuple(folder / f"{name}{suffix}" for suffix in texts)
    for path, text in zip(paths, texts.values(), strict=True):
        write_atomically(path, text)
    return paths


def rows_of(columns: Sequence[Column]) -> list[tuple[str, list[Interval | None]]]:
    """Return each measure that a column has, in their order, with its figure in each column."""
    names = dict.fromkeys(name for column in columns for name in column.figures)
    return [(name, [column.figures.get(name) for column in columns]) for name in names]


def to_markdown(columns: Sequence[Column]) -> str:
    """Write a table in GitHub's Markdown; the best of several columns is bold."""
    lines = [
        "| measure | " + " | ".join(_escape_pipe(one.title) for one in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for name, figures in rows_of(columns):
        best = find_best(name, figures)
        cells = [
            f"**{format_figure(one)}**" if k == best else format_figure(one)
            for k, one in enumerate(figures)
        ]
        lines.append(f"| {describe_measure(name)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def to_csv(columns: Sequence[Column]) -> str:
    """Write one row a measure and column: measure, column, mean, low, high, items."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("measure", "checkpoint", "mean", "low", "high", "items"))
    for name, figures in rows_of(columns):
        for column, one in zip(columns, figures, strict=True):
            if one is not None:
                writer.writerow((name, column.title, one.mean, one.low, one.high, one.items))
    return out.getvalue()


def to_latex(columns: Sequence[Column]) -> str:
    """Write a tabular of the package booktabs; the best of several columns is bold."""
    titles = " & ".join(_escape_tex(one.title) for one in columns)
    lines = [
        r"\begin{tabular}{l" + "r" * len(columns) + "}", r"\toprule",
        rf"measure & {titles} \\", r"\midrule",
    ]  # fmt: skip
    for name, figures in rows_of(columns):
        best = find_best(name, figures)
        texts = [_escape_tex(format_figure(one)) for one in figures]
        cells = [rf"\textbf{{{one}}}" if k == best else one for k, one in enumerate(texts)]
        arrow = r"$\uparrow$" if name in HIGHER_IS_BETTER else r"$\downarrow$"
        lines.append(rf"{_escape_tex(plain_name(name))} {arrow} & {' & '.join(cells)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def find_best(name: str, figures: Sequence[Interval | None]) -> int | None:
    """Return the index of the best mean of several; None where there is one column."""
    sign = -1 if name in HIGHER_IS_BETTER else 1
    means = [math.inf if one is None else sign * one.mean for one in figures]
    return means.index(min(means)) if len(figures) > 1 else None


def _escape_pipe(text: str) -> str:
    return text.replace("|", r"\|")


def _escape_tex(text: str) -> str:
    return text.translate(_TEX)


def write_mesh_result(folder: Path, result: MeshResult) -> tuple[Path, ...]:
    """Write evaluation.json and the tables; returns their paths."""
    write_atomically(folder / RESULT, result.model_dump_json(indent=1) + "\n")
    title = Path(result.mesh.path).name
    column = Column(title, {name: single(value) for name, value in result.measures.items()})
    return (folder / RESULT, *write_tables(folder, TABLE, [column]))
