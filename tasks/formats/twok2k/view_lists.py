"""The text lists of the published layout: which views belong to training, which backgrounds.

Source: docs/2k2k-dataset.md, "What a view holds".
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from schemas.atomic_files import write_atomically
from schemas.errors import InputError
from schemas.manifest import Background
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES
from tasks.formats.twok2k.export_view import ExportedView
from tasks.formats.twok2k.twok2k_layout import ALL_ENDING, BACKGROUND_LIST, LIST_FOLDER, SPLIT_LISTS

MIN_BACKGROUND_SIDE = 1024
"""The published loader enlarges twofold and crops 2048; from a smaller image it raises."""


def write_lists(root: Path, views: Sequence[ExportedView]) -> None:
    """Write the list of each data set and of each split; those of the splits even when empty.

    Views without joints that suffice are in none: the published loader dies on them.
    """
    lines: dict[str, list[str]] = {name: [] for name in SPLIT_LISTS.values()}
    for view in views:
        own_list = lines.setdefault(f"{view.dataset}{ALL_ENDING}", [])
        if view.line and not view.unlisted_because:
            own_list.append(view.line)
            lines[SPLIT_LISTS[view.split]].append(view.line)
    for name, own in lines.items():
        write_atomically(root / LIST_FOLDER / name, "".join(f"{line}\n" for line in own))


def write_background_list(root: Path, images: Iterable[Background]) -> int:
    """Write the backgrounds that the published loader can use; returns how many."""
    usable = [one.path for one in images if min(one.width, one.height) >= MIN_BACKGROUND_SIDE]
    text = "".join(f"{path}\n" for path in dict.fromkeys(usable))
    write_atomically(root / LIST_FOLDER / BACKGROUND_LIST, text)
    return len(set(usable))


def read_lines(path: Path) -> Iterator[str]:
    """Read the lines of a list, without empty ones; raises InputError when it is no text."""
    try:
        text = read_whole(path, MAX_TEXT_BYTES).decode()
    except UnicodeDecodeError as error:
        raise InputError(
            str(path), found=f"no text ({error.reason} at byte {error.start})",
            expected="a list, one line an entry", hint="Fetch the list again.",
        ) from error  # fmt: skip
    return (line.strip() for line in text.splitlines() if line.strip())
