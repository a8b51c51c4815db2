"""The text lists of the published layout: which views belong to training, which backgrounds.

Source: docs/2k2k-dataset.md, "What a view holds".
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from schemas.dataset_folder import atomic_file, write_atomically
from schemas.errors import InputError
from schemas.manifest import Background
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES
from tasks.formats.twok2k.export_view import ExportedView
from tasks.formats.twok2k.twok2k_layout import ALL_ENDING, BACKGROUND_LIST, LIST_FOLDER, SPLIT_LISTS

MIN_BACKGROUND_SIDE = 1024
"""The published loader enlarges twofold and crops 2048; from a smaller image it raises."""


class ListWriter:
    """Owns: the list files under way. They appear when the block ends well, all at once.

    A reader of the layout begins at its lists, so they are what commits an export.
    """

    def __init__(self, root: Path) -> None:
        """Take the root of the layout; files are opened as lines come."""
        self._folder = root / LIST_FOLDER
        self._files: dict[str, BinaryIO] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "ListWriter":
        """Open the list of every split, so that each is there, empty or not."""
        for name in SPLIT_LISTS.values():
            self._open(name)
        return self

    def __exit__(self, *error: object) -> None:
        """Rename all lists in, or remove what was begun after an error."""
        self._stack.__exit__(*error)  # type: ignore[arg-type] # the three of every __exit__

    def add(self, exported: ExportedView) -> None:
        """Add a view to the list of its data set and to that of its split."""
        if exported.line:
            line = f"{exported.line}\n".encode()
            self._open(f"{exported.dataset}{ALL_ENDING}").write(line)
            self._open(SPLIT_LISTS[exported.split]).write(line)

    def _open(self, name: str) -> BinaryIO:
        if name not in self._files:
            self._files[name] = self._stack.enter_context(atomic_file(self._folder / name))
        return self._files[name]


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
