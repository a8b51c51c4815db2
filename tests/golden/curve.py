"""The stored loss curve: 12 steps of phase 1 with narrow nets on ellipsoids given by a formula.

In the published forms of heads and losses: it was stored before there were others.
"""

import json
from pathlib import Path

from tests.golden.scene import scanmill
from tests.training.conftest import make_ellipsoids

STEPS = 12
TRAIN = (
    "--steps", str(STEPS), "--width", "0.05", "--batch", "2", "--seed", "5", "--workers", "1",
    "--learning-rate", "0.001", "--schedule", "constant", "--picture-every", "100",
    "--heads", "published", "--normal-loss", "published", "--depth-loss", "published",
    "--depth-gradient", "published",
)  # fmt: skip


def train_curve(folder: Path) -> dict[str, list[float]]:
    """Train and return the loss and its terms by step."""
    data = make_ellipsoids(folder / "ellipsoids")
    scanmill(folder, "train", "2k2k-normal", "--data", data, "--out", folder / "run", *TRAIN)
    text = (folder / "run/metrics.jsonl").read_text()
    steps = [one for one in map(json.loads, text.splitlines()) if "loss" in one]
    names = [name for name in steps[0] if name == "loss" or name.startswith(("normal_", "depth_"))]
    return {name: [one[name] for one in steps] for name in [*names, "mask"]}
