"""What documents and docstrings cite exists: documents, headings, names of code, commands."""

import ast
import io
import re
import shlex
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from flows.cli.app import COMMANDS, examples_of, make_app

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("schemas", "renderers", "tasks", "people", "flows", "training", "benchmarks", "tools")
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/decisions/*.md", "tests/**/README.md")
    for path in ROOT.glob(pattern)
)
SOURCES = sorted(path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py"))

DOCUMENT = re.compile(r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.(?:md|svg|tsv|toml))\b")
CITED_HEADING = re.compile(r"(docs/[\w./-]+\.md),\s+\"([^\"]+)\"")
DOTTED = re.compile(
    r"(?<![\w/.@-])((?:schemas|renderers|tasks|people|flows|training)"
    r"(?:\.(?!md\b|jpg\b|NAME\b)\w+)+)"
)
SOURCE_PATH = re.compile(
    r"(?<![\w/.-])"
    r"((?:schemas|renderers|tasks|people|flows|training)/[\w./-]*\.(?:py|toml|frag|vert))\b"
)
LINK = re.compile(r"\]\(([^)#:]+)\)")

MADE_BY_COMMANDS = frozenset({"README.md", "URI/README.md"})
"""Names of a data set's card."""


def prose_of(path: Path) -> str:
    """Return a page, or the docstrings and comments of a source file."""
    text = path.read_text()
    if path.suffix != ".py":
        return text
    docs = [
        node.value.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return "\n".join([*docs, *comments])


def cited(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    """Return what a pattern finds in all prose: place and match."""
    return sorted(
        {
            (path.relative_to(ROOT).as_posix(), match)
            for path in (*PAGES, *SOURCES)
            for match in pattern.findall(prose_of(path))
        }
    )


def test_cited_documents_exist() -> None:
    missing = [
        f"{place}: {name}"
        for place, name in cited(DOCUMENT)
        if name not in MADE_BY_COMMANDS and not is_document(place, name)
    ]
    assert not missing, "\n".join(missing)


def is_document(place: str, name: str) -> bool:
    """Whether a document is found from the root, or beside the page that names it."""
    beside = (ROOT / place).parent / name
    return (ROOT / name).is_file() or (place.endswith((".md", ".py")) and beside.is_file())


def test_docstrings_cite_documents_by_their_path_from_the_root() -> None:
    bare = [
        f"{place}: {name}"
        for place, name in cited(DOCUMENT)
        if place.endswith(".py") and name.endswith(".md") and not (ROOT / name).is_file()
    ]
    assert not bare, "\n".join(bare)


def test_cited_headings_exist() -> None:
    missing = [
        f"{place}: {page}, {heading}"
        for place, (page, heading) in cited_headings()
        if heading not in headings(ROOT / page)
    ]
    assert not missing, "\n".join(missing)


def cited_headings() -> list[tuple[str, tuple[str, str]]]:
    """Return page and heading that prose cites, with the place."""
    return sorted(
        {
            (path.relative_to(ROOT).as_posix(), (page, heading))
            for path in (*PAGES, *SOURCES)
            for page, heading in CITED_HEADING.findall(prose_of(path))
        }
    )


def headings(page: Path) -> set[str]:
    """Return the headings of a page."""
    return set(re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE))


def test_links_of_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_cited_names_are_defined() -> None:
    unknown = [f"{place}: {name}" for place, name in cited(DOTTED) if not is_defined(name)]
    assert not unknown, "\n".join(unknown)


def test_cited_source_files_exist() -> None:
    unknown = [
        f"{place}: {name}" for place, name in cited(SOURCE_PATH) if not (ROOT / name).exists()
    ]
    assert not unknown, "\n".join(unknown)


def test_the_architecture_names_files_that_exist() -> None:
    names = set(re.findall(r"`([\w/]+\.py)`", (ROOT / "ARCHITECTURE.md").read_text()))
    known = [path.as_posix() for path in SOURCES]
    assert not [
        name for name in sorted(names) if not any(one.endswith(f"/{name}") for one in known)
    ]


def is_defined(dotted: str) -> bool:
    """Whether a dotted name is a package, a module, or defined in one; nothing is imported."""
    words = dotted.split(".")
    for count in range(len(words), 0, -1):
        place = ROOT.joinpath(*words[:count])
        if place.is_dir() and count == len(words):
            return True
        if place.with_suffix(".py").is_file():
            tree = ast.parse(place.with_suffix(".py").read_text())
            return are_defined(tree.body, words[count:])
    return False


def are_defined(body: list[ast.stmt], words: list[str]) -> bool:
    """Whether the first word is defined in these statements, and the others within it."""
    if not words:
        return True
    for node in body:
        if words[0] in names_bound_by(node):
            return len(words) == 1 or are_defined(getattr(node, "body", []), words[1:])
    return False


def names_bound_by(node: ast.stmt) -> Iterator[str]:
    """Return the names that a statement binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (inner.id for inner in ast.walk(target) if isinstance(inner, ast.Name))


def shown_commands() -> list[tuple[str, str]]:
    """Return every `scanmill ...` line in the code blocks of pages: page and command."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            name = page.relative_to(ROOT).as_posix()
            found += [(name, line) for line in lines if line.startswith("scanmill ")]
    return found


def examples() -> list[tuple[str, str]]:
    """Return the examples that `--help` of every command shows."""
    found = []
    for name in COMMANDS:
        lines = "\n".join(examples_of(name)).replace("\\\n", " ").splitlines()
        found += [(f"{name} --help", line) for line in lines if line.startswith("scanmill ")]
    return found


@pytest.mark.parametrize(("page", "line"), [*shown_commands(), *examples()])
def test_shown_commands_parse(page: str, line: str) -> None:
    words = shlex.split(re.sub(r"[\[\]]|\(.*\)", "", line), comments=True)[1:]
    command = typer.main.get_command(make_app(words))
    assert words[0] in COMMANDS, f"{page}: {line}"
    command.commands[words[0]].make_context(words[0], words[1:])  # type: ignore[attr-defined] # a group


def test_shown_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = {
        (page.name, target)
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }
    assert not [one for one in sorted(shown) if one[1] not in targets]
