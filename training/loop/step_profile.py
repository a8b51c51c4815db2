"""Where the time and memory of a run's steps went, by part: what `--profile` says at the end.

Parts are spans of schemas.profiling. A part ends when the device has done its work, so a profiled
run on a GPU is slower: nothing is queued over the end of a part.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

from schemas.profiling import ProfileTable, Spent, is_profiled, span
from schemas.work import WAITING

MIB = 1 << 20
RESET_PEAK = "5"
"""Written to clear_refs: the peak of resident memory starts again. Source: proc(5)."""

REST = "between the parts"


@dataclass(frozen=True, slots=True)
class StepProfile:
    """Takes the parts of steps while a profile is taken. peaks: the most bytes of each part."""

    device: torch.device
    peaks: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block as a part."""
        with span(name):
            yield
            if is_profiled():
                self._end(name)

    def describe(self, table: ProfileTable, steps: int) -> list[str]:
        """Describe each part in a line, the costliest first."""
        spent = table.spent
        parts = sum(spent.values(), Spent())
        rest = Spent(wall=max(0.0, table.wall - (parts.wall - parts.behind)))
        rows = sorted(spent.items(), key=lambda one: -one[1].wall)
        lines = [f"where the time of {steps} steps went; decoding runs in threads beside the nets:"]
        lines += ["part                 times    wall s  beside it  share  peak MiB"]
        lines += [self._row(name, one, table.wall) for name, one in (*rows, (REST, rest))]
        beside, waited = parts.behind, spent.get(WAITING, Spent()).wall
        hidden = f", {max(0.0, 1 - waited / beside):.0%} of decoding hidden" if beside else ""
        return [*lines, f"in all {table.wall:.1f} s of wall, {table.cpu:.1f} of processor{hidden}"]

    def _row(self, name: str, one: Spent, whole: float) -> str:
        wall, peak = one.wall - one.behind, self.peaks.get(name, 0.0) / MIB
        return (
            f"{name:19} {one.count or '':6} {wall:9.2f}  {one.behind or 0:9.2f} {wall / whole:6.1%}"
            f"  {f'{peak:.0f}' if peak else '':>8}"
        )

    def _end(self, name: str) -> None:
        self.peaks[name] = max(self.peaks.get(name, 0.0), take_peak(self.device))


def take_peak(device: torch.device) -> float:
    """Return the peak memory since the last call, in bytes; waits for the device.

    Resident; on a GPU what torch has allocated there.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        peak = float(torch.cuda.max_memory_allocated(device))
        torch.cuda.reset_peak_memory_stats(device)
        return peak
    lines = Path("/proc/self/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("VmHWM"))
    with suppress(OSError):  # a container may forbid it: then the peak is that of the run so far
        Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    return float(kib) * 1024
