r"""Find out whether training learns anything about people it has not seen.

    scanmill synth --out people --subjects 66 --detail fast --texture 256 --backgrounds 24
    scanmill render --data people --dataset RP --out sets/people --resolution 256 \
        --backgrounds people/IndoorCVPR09 --splits splits.csv
    python -m benchmarks.learning sets/people --method 2k2k --out learnt \
        [--variant default --variant published] [--seeds 3] [--size cpu|gpu] [--budget 2]

splits.csv (item, subject, split) says who is trained on (train), who served to choose settings
(val), and who is measured (test).

Trains all stages of the method, once a seed and variant, on one core, and measures each on the
held-out people, beside predictors that look at no image (see the method's module). A record of each
stage is kept in --out, so that a run that was cut goes on where it was, and the table.
A gain is told only where the worst seed beats the best blind predictor by more than the seeds
differ among each other. --budget multiplies all steps: whether more would help.
Seconds of processor time count all threads.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from benchmarks import learning_hdnet
from benchmarks.learning_2k2k import BUDGETS, TwoK2K
from benchmarks.learning_frame import Measures, Method, blind_of, compare, run_seeds, write_table
from schemas.atomic_files import write_atomically


def _open_2k2k(given: argparse.Namespace) -> Method:
    return TwoK2K(given.uri, tuple(given.held_out), BUDGETS[given.size].times(given.budget))


def _open_hdnet(given: argparse.Namespace) -> Method:
    budget = learning_hdnet.BUDGETS[given.size].times(given.budget)
    return learning_hdnet.HDNet(given.uri, given.people, tuple(given.held_out), budget)


METHODS: dict[str, Callable[[argparse.Namespace], Method]] = {
    "2k2k": _open_2k2k, "hdnet": _open_hdnet,
}  # fmt: skip


def main() -> None:
    """Train, measure, write the table."""
    given = _read_line()
    os.environ.setdefault("LOCAL_WORLD_SIZE", str(os.cpu_count()))  # one thread a training
    method = METHODS[given.method](given)
    stages = given.stage or method.stages
    trained: dict[str, dict[str, list[Measures]]] = {stage: {} for stage in stages}
    seconds: dict[str, dict[str, list[float]]] = {stage: {} for stage in stages}
    for variant in given.variant or method.variants:
        for stage, seed, record in run_seeds(
            method, variant, range(given.seeds), stages, given.out
        ):
            print(f"{variant}, seed {seed}, {stage}: {record.cpu_seconds:.0f} s", flush=True)
            trained[stage].setdefault(variant, []).append(record.measures)
            seconds[stage].setdefault(variant, []).append(record.cpu_seconds)
    tables = []
    for stage in stages:
        lines = list(compare(blind_of(method, stage, given.out), trained[stage]))
        tables.append(write_table(stage, lines, seconds[stage]))
    text = "\n".join((*tables, method.conclude(trained)))
    write_atomically(given.out / "table.md", text)
    print(text)


def _read_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Held-out measures against blind baselines.")
    parser.add_argument("uri")
    parser.add_argument("--method", choices=sorted(METHODS), default="2k2k")
    parser.add_argument("--out", type=Path, required=True, help="records and trained nets")
    parser.add_argument("--variant", action="append", help="named settings; may be repeated")
    parser.add_argument("--stage", action="append", help="all; may be repeated")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", choices=sorted(BUDGETS), default="cpu")
    parser.add_argument("--budget", type=float, default=1.0, help="factor on all steps")
    parser.add_argument("--people", type=Path, help="of hdnet: the data root, for its ground truth")
    parser.add_argument("--held-out", action="append", help="splits measured; default: test")
    given = parser.parse_args()
    given.held_out = given.held_out or ["test"]
    return given


if __name__ == "__main__":
    main()
