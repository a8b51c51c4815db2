"""Ratios that must not fall: what a measurement gives, held against what it gave before.

    python -m benchmarks.guard MEASURED.jsonl

Benchmarks call `hold` with a ratio to their baseline, more is better. With SCANMILL_BENCH_RATIOS
set to a file they are kept there, and this program, called at the end of `make bench`, compares all
of them with `ratios.toml` beside it. Ends with 1 when one is lower than its record by more than its
noise.
"""

import json
import os
import sys
import tomllib
from pathlib import Path

RECORDED = Path(__file__).parent / "ratios.toml"
KEPT_IN = "SCANMILL_BENCH_RATIOS"


def hold(name: str, ratio: float) -> None:
    """Print a ratio to the baseline of this run; keep it where the environment says."""
    print(f"ratio {name}: {ratio:.2f}")
    if place := os.environ.get(KEPT_IN):
        with Path(place).open("a") as file:
            file.write(json.dumps({"name": name, "ratio": ratio}) + "\n")


def judge(measured: dict[str, float], recorded: dict[str, dict[str, float]]) -> list[str]:
    """Return a line for each ratio that fell below its record by more than its noise."""
    return [
        f"{name}: {measured[name]:.2f}, recorded {one['ratio']:.2f}, noise {one['noise']:.0%}"
        for name, one in recorded.items()
        if name in measured and measured[name] < one["ratio"] * (1 - one["noise"])
    ]


def main() -> int:
    """Compare what was measured with what is recorded."""
    lines = Path(sys.argv[1]).read_text().splitlines()
    measured = {one["name"]: float(one["ratio"]) for one in map(json.loads, lines)}
    recorded = tomllib.loads(RECORDED.read_text())
    fallen = judge(measured, recorded)
    for name in sorted(set(recorded) - set(measured)):
        print(f"not measured: {name}")
    for line in fallen:
        print(f"fallen: {line}")
    print(f"{len(measured)} ratios, {len(fallen)} fallen")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
