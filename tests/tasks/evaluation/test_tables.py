import csv

import numpy as np
import pytest

from schemas.evaluation import Interval
from tasks.evaluation.tables import Column, resample, to_csv, to_latex, to_markdown

A = Interval(mean=1.234, low=1.0, high=1.5, items=5)
B = Interval(mean=2.0, low=1.9, high=2.1, items=5)
COLUMNS = (
    Column("runs/a_1", {"p2s_cm": A, "mask_overlap": A}),
    Column("b|c", {"p2s_cm": B, "mask_overlap": B, "depth_front_cm": B}),
)


def test_the_interval_is_that_of_the_mean_of_normal_values() -> None:
    values = np.random.default_rng(0).normal(10.0, 2.0, 400)
    names = [str(number) for number in range(400)]
    found = resample(values.tolist(), names, seed=0, measure="p2s_cm")
    half = 1.96 * values.std(ddof=1) / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_views_of_one_person_count_as_one() -> None:
    people = np.random.default_rng(0).normal(10.0, 2.0, 100)
    values, names = np.repeat(people, 4), [str(k) for k in range(100) for _ in range(4)]
    found = resample(values.tolist(), names, seed=0, measure="x")
    assert found.items == 100
    assert found.high - found.low == pytest.approx(2 * 1.96 * people.std() / 10, rel=0.1)


def test_the_same_seed_gives_the_same_interval() -> None:
    values, names = [1.0, 2.0, 5.0], ["a", "b", "c"]
    first, again = (resample(values, names, seed=1, measure="x") for _ in range(2))
    assert first == again
    alone = resample([4.0, 6.0], ["a", "a"], seed=0, measure="x")
    assert alone == Interval(mean=5, low=5, high=5, items=1)


def test_markdown_marks_the_best_of_each_row() -> None:
    lines = to_markdown(COLUMNS).splitlines()
    assert lines[0] == r"| measure | runs/a_1 | b\|c |"
    assert lines[2] == "| p2s (cm) ↓ | **1.23 [1.00, 1.50]** | 2.00 [1.90, 2.10] |"
    assert lines[3] == "| mask overlap ↑ | 1.23 [1.00, 1.50] | **2.00 [1.90, 2.10]** |"
    assert lines[4] == "| depth front (cm) ↓ | - | **2.00 [1.90, 2.10]** |"


def test_csv_keeps_all_digits() -> None:
    rows = list(csv.DictReader(to_csv(COLUMNS).splitlines()))
    assert len(rows) == 5
    assert rows[0] == {
        "measure": "p2s_cm", "checkpoint": "runs/a_1", "mean": "1.234", "low": "1.0",
        "high": "1.5", "items": "5",
    }  # fmt: skip


def test_latex_escapes_names() -> None:
    text = to_latex(COLUMNS)
    assert r"measure & runs/a\_1 & b|c \\" in text
    assert text.startswith(r"\begin{tabular}{lrr}")
    assert text.count(r"\textbf") == 3
