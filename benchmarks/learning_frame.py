"""What `benchmarks.learning` does with any method: run seeds, keep records, compare, tell.

A method says which stages it trains, under which variants (named settings, compared side by side),
and measures each on held-out samples; blind predictors look at no input. A record is one stage of
one seed of one variant, a JSON file that appears when it is whole: a run that was cut goes on with
what is missing.
"""

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Any, Protocol

from schemas.atomic_files import write_atomically

Measures = dict[str, float]
MORE_IS_BETTER = ("overlap",)
"""Words in the names of measures that rise when a net gets better; all others fall."""

SKIPPED = ("loss",)


class Method(Protocol):
    """What is compared: stages that follow one another, under variants, the default first."""

    @property
    def stages(self) -> tuple[str, ...]:
        """Return the stages in their order."""

    @property
    def variants(self) -> tuple[str, ...]:
        """Return the named settings that are compared."""

    def describe(self, variant: str, stage: str) -> dict[str, object]:
        """Return what decides the result, as JSON; a record with another is no use."""

    def train(self, variant: str, stage: str, seed: int, folder: Path) -> None:
        """Train a stage from the one before it; folder: of this variant and seed, kept."""

    def measure(self, variant: str, stage: str, folder: Path) -> Measures:
        """Measure a trained stage on the held-out samples."""

    def measure_blind(self, stage: str) -> Mapping[str, Measures]:
        """Measure each predictor that looks at no input on the same samples."""

    def conclude(self, trained: Mapping[str, Mapping[str, Sequence[Measures]]]) -> str:
        """Say what comparing stages shows, as Markdown; trained: by stage, variant and seed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One trained stage. cpu_seconds: of all threads, training and measuring."""

    settings: dict[str, object]
    cpu_seconds: float
    measures: Measures


@dataclass(frozen=True, slots=True)
class Line:
    """One measure of a stage: the best blind value, and for each variant that of each seed."""

    name: str
    blind: str
    best: float
    trained: Mapping[str, Sequence[float]]


def run_seeds(
    method: Method, variant: str, seeds: Sequence[int], stages: Sequence[str], out: Path
) -> Iterator[tuple[str, int, Record]]:
    """Train and measure what has no record yet; yield (stage, seed, record) of all."""
    for seed in seeds:
        folder = out / variant / f"seed-{seed}"
        for stage in stages:
            yield stage, seed, _record_of(method, variant, stage, seed, folder)


def blind_of(method: Method, stage: str, out: Path) -> Mapping[str, Measures]:
    """Measure the blind predictors of a stage once; they are kept beside the seeds."""
    path = out / f"blind-{stage}.json"
    settings = method.describe(method.variants[0], stage)
    held = _read_record(path, settings)
    if held is None:
        measures = method.measure_blind(stage)
        held = {"settings": settings, "measures": {**measures}}
        write_atomically(path, json.dumps(held, indent=1) + "\n")
    found: Mapping[str, Measures] = held["measures"]
    return found


def _read_record(path: Path, settings: dict[str, object]) -> dict[str, Any] | None:
    """Return what was kept, None where there is nothing; ends where it is of other settings."""
    if not path.is_file():
        return None
    held: dict[str, Any] = json.loads(path.read_text())
    if held["settings"] != json.loads(json.dumps(settings)):
        raise SystemExit(f"{path} was measured with other settings: give another --out")
    return held


def _record_of(method: Method, variant: str, stage: str, seed: int, folder: Path) -> Record:
    path = folder / f"{stage}.json"
    settings = method.describe(variant, stage)
    held = _read_record(path, settings)
    if held is not None:
        return Record(**held)
    began = process_time()
    method.train(variant, stage, seed, folder)
    measures = method.measure(variant, stage, folder)
    record = Record(settings, process_time() - began, measures)
    write_atomically(path, json.dumps(asdict(record), indent=1) + "\n")
    return record


def compare(
    blind: Mapping[str, Measures], trained: Mapping[str, Sequence[Measures]]
) -> Iterator[Line]:
    """Yield a line for each measure of a stage.

    blind: by predictor. trained: by variant, one for each seed. A measure that no blind predictor
    has is compared to nothing (NaN).
    """
    first = next(iter(trained.values()))[0]
    for name in (name for name in first if name not in SKIPPED):
        known = {who: measures[name] for who, measures in blind.items() if name in measures}
        pick = max if is_rising(name) else min
        best = pick(known, key=lambda who: known[who]) if known else ""
        values = {
            variant: [measures[name] for measures in seeds if name in measures]
            for variant, seeds in trained.items()
        }
        yield Line(name, best, known.get(best, float("nan")), values)


def is_rising(name: str) -> bool:
    """Say whether more is better."""
    return any(word in name for word in MORE_IS_BETTER)


def gain(line: Line, values: Sequence[float]) -> float:
    """Return by how much the worst seed is better than the best blind predictor."""
    sign = 1 if is_rising(line.name) else -1
    return min(sign * value for value in values) - sign * line.best


def verdict(line: Line, values: Sequence[float]) -> str:
    """Return `gain` where the worst seed gains more than the seeds differ among each other."""
    if not line.blind or not values:
        return "-"
    spread = max(values) - min(values)
    return "gain" if gain(line, values) > spread else "**no gain**"


def write_table(stage: str, lines: Sequence[Line], seconds: Mapping[str, Sequence[float]]) -> str:
    """Return the lines of a stage as Markdown; seconds: of processor time, by variant."""
    variants = list(lines[0].trained)
    spent = "; ".join(
        f"{variant}: {len(all_seeds)} seeds, {statistics.mean(all_seeds) / 60:.1f} min each"
        for variant, all_seeds in seconds.items()
    )
    head = ["held-out", "best blind", *(f"{name}: worst (range), verdict" for name in variants)]
    rows = [head, ["---"] * len(head), *(_cells(line) for line in lines)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"### {stage}\n\nProcessor time: {spent}\n\n{table}\n"


def _cells(line: Line) -> list[str]:
    blind = f"{line.best:.3g} ({line.blind})" if line.blind else "-"
    return [line.name, blind, *(_cell(line, values) for values in line.trained.values())]


def _cell(line: Line, values: Sequence[float]) -> str:
    if not values:
        return "-"
    worst = min(values) if is_rising(line.name) else max(values)
    return f"{worst:.3g} ({min(values):.3g} to {max(values):.3g}), {verdict(line, values)}"
