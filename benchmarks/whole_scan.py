"""One scan from its files to its shard, as a worker of `scanmill render` makes it, step by step."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from schemas.profiling import DRIVER, ProfileTable, Spent, profiling, span
from schemas.scan import ScannedName, ScanRef
from schemas.settings import RenderSettings
from schemas.work import WAITING
from tasks.backgrounds import Backgrounds
from tasks.dataset.shards import Row, sample_format, write_shard

REST = "orchestrate and all between"
STAGES: dict[str, tuple[str, ...]] = {
    "read": ("read", "read mesh", "read texture", "hash inputs"),
    "decode texture": ("decode texture",),
    "upload": ("pack mesh", "upload mesh", "upload texture"),
    "place": ("place",),
    "draw": ("draw", "draw visibility", "draw surface", DRIVER),
    "draw iuv": ("iuv", "draw iuv.frag"),
    "light": ("light", "draw lit.frag"),
    "read back": ("read back",),
    "composite": ("composite",),
    "keypoints": ("keypoints",),
    "encode image": ("encode image",),
    "encode color_front": ("encode color_front",),
    "encode color_back": ("encode color_back",),
    "encode shaded": ("encode shaded",),
    "encode mask": ("encode mask",),
    "encode iuv": ("encode iuv",),
    "encode depth": ("encode depth",),
    "encode normals": ("encode normals",),
    "hash": ("hash shard",),
    "write": ("write", "write file", "flush and publish", "record"),
    "idle: wait for encoders": (WAITING,),
}
"""What people count -> the spans of it; what no span counts is REST."""

DRAWING = ("build", "upload", "draw", "draw iuv", "light", "read back")
"""Stages of drawing alone, of both ways."""


@dataclass(frozen=True, slots=True)
class Work:
    """One scan to render."""

    data: Path
    item: str
    settings: RenderSettings
    backgrounds: Backgrounds
    dataset: ScannedName = "RP"

    @property
    def ref(self) -> ScanRef:
        """Name the scan."""
        return ScanRef(dataset=self.dataset, item=self.item, subject=self.item, split="train")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one rendering gave: where its time went, and its rows where they are kept."""

    table: ProfileTable
    rows: list[Row]


def render_scan(work: Work, *, keep: bool = False) -> Rendered:
    """Render a scan as a worker does, in a context that is open, into a file that goes away."""
    from renderers.session import open_session  # noqa: PLC0415 - one GL user a process
    from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan  # noqa: PLC0415
    from tasks.samples.encoding_threads import encode_behind  # noqa: PLC0415
    from tasks.samples.scan_reading import load_scan  # noqa: PLC0415

    session, kept = open_session(), list[Row]()

    def rows() -> Iterator[Row]:
        with span("read"):
            scan = load_scan(work.data, work.ref, resolution=work.settings.resolution)
        drawn = draw_scan(
            scan, work.settings, session, backgrounds=work.backgrounds, stopwatch=Stopwatch()
        )
        for one in encode_behind(drawn, work.settings):
            if isinstance(one, ViewFailure):
                raise one.error
            if keep:
                kept.append(one.row)
            yield one.row

    with profiling() as profile:
        write_rows(rows(), work.settings)
    return Rendered(profile.table, kept)


def write_rows(rows: Iterable[Row], settings: RenderSettings) -> None:
    """Write a shard into a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as files:
        layout = sample_format(settings.exr_compression)
        writer = files.enter_context(write_shard(Path(folder) / "shard-00000.parquet", layout))
        for row in rows:
            with span("write"):
                writer.write(row)
        with span("write"):
            writer.finish()
            files.close()


def by_stage(table: ProfileTable) -> dict[str, Spent]:
    """Sum a profile up by stage; spans that STAGES does not know stay as they are."""
    left, sums = dict(table.spent), dict[str, Spent]()
    for stage, names in STAGES.items():
        sums[stage] = sum((left.pop(name, Spent()) for name in names), Spent())
    sums |= left
    counted = sum(sums.values(), Spent())
    in_front = counted.wall - counted.behind
    rest = Spent(wall=max(0.0, table.wall - in_front), cpu=max(0.0, table.cpu - counted.cpu))
    return {name: one for name, one in (sums | {REST: rest}).items() if one != Spent()}
