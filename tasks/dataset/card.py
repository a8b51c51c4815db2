"""README.md of a data set, in the form of a Hugging Face data set card, and its totals.

The card's `configs:` name the files of samples, frames and pairs, as far as there are any.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress

import pyarrow as pa

from schemas.dataset_folder import PARTS, DatasetFolder, Part
from schemas.dataset_reader import CARD_NAME, DESCRIPTION_NAME
from schemas.dataset_store import WHATEVER, ConflictError
from schemas.errors import InputError
from schemas.frames import FRAME_COLUMNS, PAIR_COLUMNS
from schemas.manifest import DatasetDescription, Manifest
from schemas.pairing import PairSettings
from schemas.samples import IMAGE, SAMPLE_COLUMNS, Column

_SIZE_CATEGORIES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
)  # fmt: skip
"""Source: the Hub's list of size categories."""

_BIGGEST_CATEGORY = "1M<n<10M"

_HEADING = "# {name}\n\n"

_MADE = {
    "rendered": "rendered by scanmill {version} from textured scans of people",
    "imported": "imported by scanmill {version} from images and depth maps in a published layout",
}
"""How samples came to be, by where their settings say that they come from."""

_TEXT = """\
Training samples for clothed-person reconstruction, {made}.
Each sample is one scan seen from one side: images of the front and of the back
surface, depth, normals, mask, keypoints and the camera.

| | |
| --- | --- |
| samples | {samples} |
| scans | {scans} |
| samples that could not be made | {failures} |
| shards | {shards} |
| size | {megabytes:.1f} MB |
| resolution | {resolution} px |
| views of a scan | {views} |

```python
from datasets import load_dataset
samples = load_dataset("{name}", "samples", split="train")      # all samples
train = samples.filter(lambda split: split == "train", input_columns="split")
```

The files know one split only, which the Hub calls `train`; it holds **all** samples. Which of them
are for training, validation and testing is said by the column `split`, person by person: filter by
it, and split nothing again. `pandas.read_parquet("{name}/samples")`, `pyarrow.dataset` and DuckDB's
`'{name}/samples/*.parquet'` read the same files. One row group holds one sample.

The licences of the scans and of the background images go on to whatever is made of them.

## Columns

| column | type | meaning | unit | frame | fill |
| --- | --- | --- | --- | --- | --- |
{columns}

## Settings

```json
{settings}
```

Digest: `{digest}`
"""

_VIDEO_TEXT = """\
## Videos

Frames of videos, 256 x 256, and correspondences between them, found by scanmill {version}: for each
pixel of a frame the nearest DensePose UV of the same part in another.

| | |
| --- | --- |
| videos | {videos} |
| frames | {frames} |
| pairs of frames | {pairs} |

```python
from datasets import load_dataset
frames = load_dataset("{name}", "frames", split="train")
pairs = load_dataset("{name}", "pairs", split="train")          # rows and columns count from 0
```

Which videos are for training, validation and testing is said by the column `split` of `frames`. The
rights of the people in the videos go on to whatever is made of them.

### Columns of frames

| column | type | meaning | unit | frame | fill |
| --- | --- | --- | --- | --- | --- |
{frame_columns}

### Columns of pairs

| column | type | meaning | unit | frame | fill |
| --- | --- | --- | --- | --- | --- |
{pair_columns}

### Settings of pairs

```json
{settings}
```

Digest: `{digest}`
"""


def write_card(folder: DatasetFolder) -> DatasetDescription:
    """Bring the totals of dataset.json and README.md up to date with the manifests.

    Begins again when another run changes dataset.json meanwhile: the last one knows all shards.
    """
    while True:
        seen, stored = folder.store.stamp(DESCRIPTION_NAME), folder.read_description()
        totals = sum_up(read_manifests(folder)) | sum_up_videos(folder)
        description = stored.model_copy(update={"totals": totals})
        with suppress(ConflictError):
            if description != stored:
                text = description.model_dump_json(indent=1)
                seen = folder.store.write(DESCRIPTION_NAME, text, seen=seen)
            folder.store.write(CARD_NAME, make_card(folder, description), seen=WHATEVER)
            if folder.store.stamp(DESCRIPTION_NAME) == seen:
                return description


def read_manifests(folder: DatasetFolder, part: Part = "samples") -> Iterator[Manifest]:
    """Read the commit records that can be read, one at a time: a large set has gigabytes of them.

    `scanmill status` reports the others.
    """
    for shard_id in folder.committed_shards(part):
        with suppress(InputError, FileNotFoundError):
            yield folder.read_manifest(shard_id, part)


def sum_up(manifests: Iterable[Manifest]) -> dict[str, int]:
    """Return what all committed shards hold together."""
    counts = Counter[str](shards=0, samples=0, scans=0, failures=0, bytes=0)
    scans = set[str]()
    for one in manifests:
        scans.update("/".join(name.split("/")[:2]) for name in one.sample_ids)
        counts.update(
            shards=1, samples=len(one.sample_ids), failures=len(one.failures), bytes=one.bytes
        )
    return {**counts, "scans": len(scans)}


def sum_up_videos(folder: DatasetFolder) -> dict[str, int]:
    """Return what the committed shards of frames and pairs hold; nothing where there are none."""
    frames = [one.rows for one in read_manifests(folder, "frames")]
    pairs = [one.rows for one in read_manifests(folder, "pairs")]
    if not frames and not pairs:
        return {}
    return {"videos": len(frames), "frames": sum(frames), "pairs": sum(pairs)}


def make_card(folder: DatasetFolder, description: DatasetDescription) -> str:
    """Write the card's text."""
    totals = description.totals
    parts = [part for part in PARTS if folder.committed_shards(part)]
    name = folder.name
    body = _TEXT.format(
        name=name,
        samples=totals["samples"],
        made=_MADE[description.settings.origin].format(version=description.scanmill),
        scans=totals["scans"],
        failures=totals["failures"],
        shards=totals["shards"],
        megabytes=totals["bytes"] / 1e6,
        resolution=description.settings.resolution,
        views=len(description.settings.views),
        columns="\n".join(_describe(column) for column in SAMPLE_COLUMNS),
        settings=description.settings.model_dump_json(indent=1),
        digest=description.settings_digest,
    )
    sections = [body] if description.renders else []
    if description.pairing is not None and "videos" in totals:
        sections.append(_describe_videos(name, description, description.pairing))
    rows = max(totals["samples"], totals.get("pairs", 0))
    return _front_matter(name, rows, parts) + _HEADING.format(name=name) + "\n".join(sections)


def _describe_videos(name: str, description: DatasetDescription, settings: PairSettings) -> str:
    totals = description.totals
    return _VIDEO_TEXT.format(
        name=name,
        version=description.scanmill,
        videos=totals["videos"],
        frames=totals["frames"],
        pairs=totals["pairs"],
        frame_columns="\n".join(_describe(column) for column in FRAME_COLUMNS),
        pair_columns="\n".join(_describe(column) for column in PAIR_COLUMNS),
        settings=settings.model_dump_json(indent=1),
        digest=description.pairing_digest,
    )


def _front_matter(name: str, samples: int, parts: list[Part]) -> str:
    size = next((label for limit, label in _SIZE_CATEGORIES if samples < limit), _BIGGEST_CATEGORY)
    lines = [
        "---",
        f"pretty_name: {_quote(name)}",
        "license: other",
        "task_categories:",
        "- image-to-3d",
        "- depth-estimation",
        "tags:",
        "- scanmill",
        "size_categories:",
        f"- {size}",
    ]
    if parts:
        lines.append("configs:")
    for part in parts:
        lines += [
            f"- config_name: {part}",
            "  data_files:",
            "  - split: train",
            f"    path: {part}/*.parquet",
        ]
    return "\n".join([*lines, "---", "", ""])


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _describe(column: Column) -> str:
    cells = (f"`{column.name}`", _type_name(column.type), column.meaning, column.unit,
             column.frame, column.fill)  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type_name(kind: pa.DataType) -> str:
    if kind == IMAGE:
        return "image"
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.list_size} x {kind.value_type}"
    return str(kind)
