"""Which frames of a video become pairs: neighbours at set strides that share enough parts.

Frames come in order and leave in order; what is remembered spans the reach of the strides, so
memory does not grow with the video.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.errors import InputError
from schemas.pairing import PairSettings
from tasks.video.matching import BodyPixels, Lattice, Matches, match_frames

MIN_ROWS = 2
"""A one-row corr_mat.txt makes the published reader fail. Source: docs/hdnet-dataset.md."""


MIN_MATCHES = 2
"""A one-row correspondence file is silently repeated by the published reader. Same source."""


@dataclass(frozen=True, slots=True)
class FramePairs:
    """One frame and the neighbours chosen for it, in their order."""

    frame: int
    neighbours: tuple[tuple[int, Matches], ...]
    candidates: int
    max_parts: int


@dataclass(slots=True)
class PairFinder:
    """Finds the pairs of one video. Owns: the lattice and the frames within reach."""

    settings: PairSettings
    _lattice: Lattice = field(init=False)
    _within_reach: dict[int, BodyPixels] = field(default_factory=dict)
    _waiting: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the lattice that all frames share."""
        self._lattice = Lattice(self.settings.max_distance)

    def add(self, frame: int, body: BodyPixels) -> Iterator[FramePairs]:
        """Take the next frame; yields the frames whose neighbours are now all known."""
        self._within_reach[frame] = body
        self._waiting.append(frame)
        while self._waiting[0] + self.settings.reach <= frame:
            yield self._decide(self._waiting.pop(0))

    def finish(self) -> Iterator[FramePairs]:
        """Yield the frames that still waited for neighbours."""
        while self._waiting:
            yield self._decide(self._waiting.pop(0))

    def _decide(self, frame: int) -> FramePairs:
        for gone in [n for n in self._within_reach if n < frame - self.settings.reach]:
            del self._within_reach[gone]
        return choose_neighbours(frame, self._within_reach, self.settings, self._lattice)


def choose_neighbours(
    frame: int, frames: dict[int, BodyPixels], settings: PairSettings, lattice: Lattice
) -> FramePairs:
    """Choose the neighbours of one frame among those at the settings' strides.

    A neighbour shares at least min_parts parts with more than min_shared matches each.
    """
    strides = sorted(settings.strides, key=lambda stride: -abs(stride))
    order = strides if settings.policy == "widest" else settings.strides
    there = [frame + stride for stride in order if frame + stride in frames]
    expected = None if settings.policy == "overlap" else settings.neighbours
    accepted: list[tuple[int, Matches]] = []
    max_parts = 0
    for neighbour in there:
        matches = match_frames(frames[frame], frames[neighbour], settings, lattice)
        shared = int((matches.found > settings.min_shared).sum())
        max_parts = max(max_parts, shared)
        if shared >= settings.min_parts and len(matches.part) >= MIN_MATCHES:
            accepted.append((neighbour, matches))
        if len(accepted) == expected:
            break
    if settings.policy == "overlap":
        accepted.sort(key=lambda pair: -int(pair[1].found.sum()))
    return FramePairs(frame, tuple(accepted[: settings.neighbours]), len(there), max_parts)


@dataclass(slots=True)
class Tally:
    """What the frames of one video had to offer, to say which setting would admit it."""

    counts: dict[int, int] = field(default_factory=dict)
    parts: dict[int, int] = field(default_factory=dict)
    had_candidates: int = 0
    frames: int = 0

    def note(self, pairs: FramePairs) -> None:
        """Count one frame; counts: frames by number of neighbours, parts: by parts shared."""
        self.frames += 1
        self.had_candidates += pairs.candidates > 0
        found = len(pairs.neighbours)
        self.counts[found] = self.counts.get(found, 0) + 1
        self.parts[pairs.max_parts] = self.parts.get(pairs.max_parts, 0) + 1

    def refuse(self, video: str, settings: PairSettings) -> InputError:
        """Explain why a video yields fewer than two rows, and what would admit it."""
        rows = sum(n for found, n in self.counts.items() if found >= settings.min_neighbours)
        return InputError(
            video,
            found=f"{rows} of {self.frames} frames with {settings.min_neighbours} neighbours",
            expected=f"at least {MIN_ROWS} frames that have so many",
            hint=self._hint(settings),
        )

    def _hint(self, settings: PairSettings) -> str:
        neighbours = _second_best(self.counts)
        if 0 < neighbours < settings.min_neighbours:
            return f"--min-neighbours {neighbours} would admit it."
        if self.had_candidates < MIN_ROWS:
            return (
                f"Hardly any two frames are {settings.step} to {settings.reach} apart in steps "
                f"of {settings.step}: give --step and --reach that fit the numbers of its frames."
            )
        parts = _second_best(self.parts)
        if 0 < parts < settings.min_parts:
            return f"--min-parts {parts} --min-neighbours 1 would admit it."
        return "Its frames share too little: lower --min-shared, or leave the video out."


def _second_best(frames_by_value: dict[int, int]) -> int:
    """Return the highest value that at least two frames reach."""
    reached = 0
    for value in sorted(frames_by_value, reverse=True):
        reached += frames_by_value[value]
        if reached >= MIN_ROWS:
            return value
    return 0
