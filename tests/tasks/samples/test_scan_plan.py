"""Scans into the plan: what is refused before any work."""

import pytest

from schemas.errors import RequestError
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.samples.scan_plan import check_sample_ids


def refs_of(count: int) -> list[ScanRef]:
    return [
        ScanRef(dataset="THuman2", item=f"{number:04d}", subject=f"{number:04d}", split="train")
        for number in range(count)
    ]


def test_sample_ids_are_checked_before_work() -> None:
    settings = RenderSettings(orthographic=True, yaws=(0,))
    with pytest.raises(RequestError, match="THuman2/0000/0: 2 sample ids"):
        check_sample_ids((*refs_of(1), *refs_of(1)), settings)


def test_distinct_views_pass_the_check() -> None:
    check_sample_ids(refs_of(2), RenderSettings(orthographic=True, pitches=(0, 10)))
