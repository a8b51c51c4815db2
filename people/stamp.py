"""`synth.json`: what made each file of a synthetic root, so that a second call is quick."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from people.made_scan import FigureKind
from people.person import Detail
from schemas.atomic_files import write_atomically
from schemas.errors import RequestError

OnItem = Callable[[str], None]
"""Called with one line for each item done."""
Sizes = dict[str, int]
"""The size of each file in bytes, by its path below the root."""
Stamp = dict[str, dict[str, object]]
"""By job: its settings (`job`) and its files' `Sizes` (`files`)."""
STAMP = "synth.json"


class SynthJob(BaseModel):
    """One thing to make; its fields decide its bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(description="the run's seed")
    index: int = Field(description="which person, image or video")
    texture_size: int = Field(default=0, description="texels a side")
    detail: Detail = "full"
    version: int = Field(description="of the generator: raised when a seed gives other bytes")

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the name of what is made."""

    @property
    @abstractmethod
    def key(self) -> str:
        """Return what the stamp files this job under."""

    def stamped(self) -> dict[str, object]:
        """Return the fields that decide the job's bytes, as the stamp holds them."""
        return self.model_dump()


Job = TypeVar("Job", bound=SynthJob)


def make_missing(
    out: Path,
    jobs: list[Job],
    make: Callable[[list[Job]], Iterator[tuple[Job, Sizes]]],
    progress: OnItem | None,
) -> tuple[str, ...]:
    """Make what equal calls have not made yet; return the names of all jobs.

    make: writes the files of these jobs. progress: told one line for each job done.
    """
    stamp = read_stamp(out)
    todo = [job for job in jobs if not _is_whole(out, job, stamp.get(job.key))]
    for done, (job, files) in enumerate(make(todo), start=1):
        stamp[job.key] = {"job": job.stamped(), "files": files}
        text = json.dumps(dict(sorted(stamp.items())), indent=1, sort_keys=True)
        write_atomically(out / STAMP, text)
        if progress is not None:
            progress(f"{done}/{len(todo)} {job.name}")
    return tuple(job.name for job in jobs)


def write_files(out: Path, files: Iterator[tuple[str, bytes]]) -> Sizes:
    """Write files, each whole or not at all; return their sizes."""
    sizes = {}
    for path, content in files:
        write_atomically(out / path, content)
        sizes[path] = len(content)
    return sizes


def read_stamp(out: Path) -> Stamp:
    """Return what a root says of itself; empty where it says nothing readable."""
    try:
        stamp = json.loads((out / STAMP).read_bytes())
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def kinds_of_people(out: Path) -> set[str]:
    """Return which kinds of people (`made_scan.FigureKind`) a root holds; empty for none."""
    kinds = set()
    for key, entry in read_stamp(out).items():
        job = entry.get("job") if isinstance(entry, dict) else None
        if isinstance(job, dict) and not key.startswith(("background/", "model/")):
            kinds.add(str(job.get("figures", "sculpted")))
    return kinds


def check_kind(out: Path, figures: FigureKind) -> None:
    """Refuse to put one kind of people in the place of another; raises RequestError."""
    others = kinds_of_people(out) - {figures}
    if others:
        found = " and ".join(sorted(others))
        raise RequestError(
            f"the people in {out}",
            found=f"{found} ones, made before",
            expected=f"{figures} ones, or none",
            hint=f"Use --figures {min(others)} to go on with them, or another --out.",
        )


def _is_whole(out: Path, job: SynthJob, entry: dict[str, object] | None) -> bool:
    """Return whether a job's files all exist, of their size, and were made by equal settings."""
    files = (entry or {}).get("files")
    if entry is None or entry.get("job") != job.stamped() or not isinstance(files, dict):
        return False
    return all((out / p).is_file() and (out / p).stat().st_size == s for p, s in files.items())
