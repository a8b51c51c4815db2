"""HDNet's stages on videos run in this process, with nets a sixteenth as wide."""

import json
from pathlib import Path

from tasks.video.predicted_shards import commit_predicted, forget_predictions, list_predicted
from tests.training.conftest import request_of
from training.run import main

WIDTH = ["--width", "0.0625"]
FILE = "frames/shard-00000.parquet"
FRAMES, PREDICT, VIDEO = 9, "hdnet-predict-normals", "hdnet-video"


def run(stage: str, data: Path | list[Path], out: Path, *words: object) -> int:
    uris = [str(one) for one in (data if isinstance(data, list) else [data])]
    return main(request_of([stage, "--data", *uris, "--out", str(out), *WIDTH, *map(str, words)]))


def losses(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line]


def predict_into(dances: Path, init: Path, out: Path) -> None:
    assert run(PREDICT, dances, out, "--init", init) == 0
    assert all(commit_predicted(job).state == "done" for job in list_predicted(out))
    forget_predictions(out)
