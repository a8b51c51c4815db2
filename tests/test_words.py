"""The product speaks the field's vocabulary: docs/glossary.md, "Words that were replaced".

Names, docstrings, comments and messages are searched for words that a graphics, data-loading or
Prefect engineer would not search for. Stored names (Parquet metadata, JSON fields) keep theirs.
"""

import ast
import io
import itertools
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "renderers", "tasks", "people", "flows", "training")

BANNED_IN_NAMES = {
    "picture": "image", "pictures": "images", "truth": "target", "truths": "targets",
    "settle": "resolve", "settled": "resolved", "standing": "status", "trade": "job_spec",
    "keeper": "cache", "artist": "renderer", "lifeline": "parent_death_signal",
    "met": "found", "wanted": "expected", "way_out": "hint", "fewest": "min", "least": "min",
    "smallest": "min", "largest": "max", "most": "max", "mend": "fix", "anew": "again",
    "strangers": "untrusted", "stranger": "untrusted", "folk": "people",
}  # fmt: skip
"""Word of a name (between underscores or capitals): what to write instead."""

BANNED_IN_PROSE = {
    r"pictures?": "image", r"(?<!ground )truths?": "target, ground truth",
    r"settle[sd]?|settling": "resolve", r"mend(s|ed|ing)?": "fix, repair", r"anew": "again",
    r"strangers?('s?)?": "untrusted", r"folk": "people",
    r"stands?(?!-| for\b| still\b| off\b| or sit\b)(?<!would stand)(?<!figure stands)": "is, lies",
    r"standing": "status", r"under way": "running", r"whatever was met": "what was found",
    r"tells?(?!:)": "say, return whether", r"artist|easel": "renderer", r"keeper": "cache",
    r"lifeline": "parent death signal", r"trade": "job spec", r"way out": "hint",
    r"is not there|are not there": "is missing", r"in vain": "without effect",
    r"what the user should know": "what it says",
}  # fmt: skip
"""Pattern of whole words in docstrings, comments and messages: what to write instead."""

STORED = {
    "schemas/manifest.py": {"picture", "pictures"},  # fields of backgrounds.json
    "schemas/samples.py": {"picture", "pictures"},  # column metadata
    "schemas/frames.py": {"picture", "pictures"},  # column metadata
    "schemas/train_options.py": {"picture"},  # a setting in run.json, an option
    "training/twok2k/surface_nets.py": {"picture"},  # a name in checkpoints
    "training/twok2k/person_stages.py": {"picture"},  # model.json
    "people/video_writer.py": {"truth"},  # a folder beside the videos
    "schemas/evaluate_request.py": {"truth"},  # an option
    "flows/cli/measure_commands.py": {"truth"},  # the same, in examples
}
"""Old words that remain where older versions wrote them, so that their files are still read."""

PLAIN_NAMES = frozenset({"at_least", "at_most"})
"""Names of plain English that hold a replaced word."""

NOT_YET_CLEAN: frozenset[str] = frozenset()
"""Rooms that still hold old words; must be empty."""

_PROSE = {
    re.compile(rf"\b(?:{word})\b", re.IGNORECASE): use for word, use in BANNED_IN_PROSE.items()
}
_PARTS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def product_files() -> list[Path]:
    """List the product's sources."""
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def names_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return every name that a module defines: line and name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def prose_of(text: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return docstrings, comments and messages: line and text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def words_of(name: str) -> Iterator[str]:
    """Split a name at underscores and capitals, in lower case; pairs too, as in way_out."""
    words = [part.lower() for part in _PARTS.findall(name)]
    yield from words
    yield from (f"{one}_{other}" for one, other in itertools.pairwise(words))


def old_words(path: Path) -> list[str]:
    """Return what a source file holds of old words: place, word and what to write instead."""
    text = path.read_text()
    tree = ast.parse(text)
    place = path.relative_to(ROOT).as_posix()
    allowed = STORED.get(place, set())
    found = [
        f"{place}:{line}: name {name}: {word} -> {BANNED_IN_NAMES[word]}"
        for line, name in names_of(tree)
        for word in words_of(name)
        if word in BANNED_IN_NAMES and word not in allowed and name not in PLAIN_NAMES
    ]
    found += [
        f"{place}:{line}: {match[0]} -> {use}"
        for line, prose in prose_of(text, tree)
        for pattern, use in _PROSE.items()
        for match in [pattern.search(prose)]
        if match and match[0].lower() not in allowed
    ]
    return found


def test_the_product_uses_the_words_of_the_field() -> None:
    clean = [
        path for path in product_files() if path.relative_to(ROOT).parts[0] not in NOT_YET_CLEAN
    ]
    found = [one for path in clean for one in old_words(path)]
    assert not found, "\n".join(found)


def test_the_search_finds_an_old_word() -> None:
    assert list(words_of("read_PictureMet")) == [
        "read",
        "picture",
        "met",
        "read_picture",
        "picture_met",
    ]
    assert any(pattern.search("It stands there.") for pattern in _PROSE)
    assert not any(pattern.search("The ground truth image.") for pattern in _PROSE)


if __name__ == "__main__":  # python -m tests.test_words: what is left to do
    lines = [one for path in product_files() for one in old_words(path)]
    print("\n".join(lines))  # noqa: T201 - a list to work on
