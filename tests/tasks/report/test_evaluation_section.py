import json
from pathlib import Path

import numpy as np
import pytest

from schemas.codecs import encode_png
from schemas.errors import RequestError
from schemas.evaluate_request import ProtocolOptions
from schemas.evaluation import CheckpointResult, DataResult, Interval, ItemResult
from tasks.report.page import build_report

HOSTILE = "RP/rp_<b>ann_posed_001/0"


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    """Write an evaluation of two checkpoints, whose sample has a hostile name."""
    root = tmp_path / "evaluation"
    shown = root / "people/ann"
    shown.mkdir(parents=True)
    (shown / "overview.png").write_bytes(encode_png(np.full((64, 2000, 3), 90, np.uint8)))
    items = [
        ItemResult(
            sample_id=HOSTILE, checkpoint="a", key="1", measures={"p2s_cm": 1.5},
            shown="people/ann",
        ),
        ItemResult(sample_id=HOSTILE, checkpoint="b", key="2", error="cut file"),
    ]  # fmt: skip
    checkpoints = [
        CheckpointResult(
            title="a", path="runs/a", digest="1", failed=0,
            measures={"p2s_cm": Interval(mean=1.5, low=1, high=2, items=3)},
        ),
        CheckpointResult(title="b", path="runs/b", digest="2", failed=1, measures={}),
    ]  # fmt: skip
    result = DataResult(
        data=("sets/rp",), split=("test",), protocol=ProtocolOptions().protocol,
        items=(HOSTILE,), checkpoints=tuple(checkpoints), results=tuple(items),
        confidence=0.95, resamples=2000, versions={},
    )  # fmt: skip
    (root / "evaluation.json").write_text(result.model_dump_json())
    return root


def test_the_page_shows_figures_people_and_failures(evaluation: Path, tmp_path: Path) -> None:
    page = build_report([str(evaluation)], tmp_path / "report.html").read_text()
    assert "<b>1.50 [1.00, 2.00]</b>" in page
    assert "rp_&lt;b&gt;ann" in page
    assert "<b>ann" not in page
    assert 'href="evaluation/people/ann/view.html"' in page
    assert "data:image/jpeg;base64," in page
    assert "cut file" in page
    assert "http" not in page


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_text(json.dumps({"some": "thing"}))
    with pytest.raises(RequestError, match="no result of an evaluation"):
        build_report([str(tmp_path)], tmp_path / "report.html")
