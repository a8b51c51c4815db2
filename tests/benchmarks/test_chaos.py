from pathlib import Path

import pytest

from benchmarks.chaos import disturb

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]


def test_bytes_are_the_same_whatever_is_killed(tmp_path: Path) -> None:
    chaos, wrong = disturb(tmp_path, kills=8, shards=6, seed=3)
    assert wrong == []
    assert chaos.killed.total() == 8
