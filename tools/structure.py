"""Measure the structure of the product: `make structure`.

Prints product lines by room, file names that occur twice, short files, the files that `render`'s
request passes through (and those that no more than a single value of it reaches), options declared
more than once, and files that name a camera.
Nothing of the product is imported or run: the figures come from the syntax trees alone.

    python tools/structure.py [--root DIR] [--revision REV] [--json] [--verbose]
"""

import argparse
import ast
import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

from request_walk import Module, walk_request

ROOMS = ("schemas", "renderers", "tasks", "people", "flows", "training")
"""Product rooms; tests, benchmarks and tools are no product."""

SHORT_LINES = 40
MAY_REPEAT = frozenset({"__init__.py", "task.py"})

CAMERA_WORDS = re.compile(
    r"orthographic|camera_(2k2k|hdnet)|hdnet_(placement|resolution|centre|focal|crop)|before_hdnet",
    re.IGNORECASE,
)
"""Identifiers and constants that belong to one camera."""

CAMERA_NAMES = frozenset({"2k2k", "orthographic", "hdnet"})

OPTION_HOMES: Mapping[str, re.Pattern[str]] = {
    "render": re.compile(r"^(Render\w*(Settings|Request|Options))$"),
    "pair": re.compile(r"^(Pair\w*(Settings|Request|Options))$"),
    "train": re.compile(
        r"^(Train\w*(Settings|Request|Options)|(Stage|Place|Model|Data|Run|Launch)(Settings|Options))$"
    ),
}
"""Classes whose fields are options, by command."""


def read_modules(root: Path) -> tuple[Module, ...]:
    """Parse every Python file of the product rooms."""
    paths = sorted(path for room in ROOMS for path in (root / room).rglob("*.py"))
    return tuple(
        Module(path.relative_to(root).as_posix(), len(text.splitlines()), ast.parse(text))
        for path in paths
        for text in [path.read_text()]
    )


def lines_by_room(modules: tuple[Module, ...]) -> dict[str, int]:
    """Count the lines of each room, blank ones and comments included."""
    counts: Counter[str] = Counter()
    for module in modules:
        counts[module.path.partition("/")[0]] += module.lines
    return dict(counts)


def repeated_names(modules: tuple[Module, ...]) -> dict[str, list[str]]:
    """Return the file names that occur in more than one folder."""
    places = defaultdict(list)
    for module in modules:
        folder, _, name = module.path.rpartition("/")
        if name not in MAY_REPEAT:
            places[name].append(folder)
    return {name: folders for name, folders in sorted(places.items()) if len(folders) > 1}


def short_files(modules: tuple[Module, ...]) -> dict[str, int]:
    """Return the files under 40 lines, without __init__.py and __main__.py."""
    return {
        module.path: module.lines
        for module in modules
        if module.lines < SHORT_LINES and not module.path.endswith("__.py")
    }


def camera_files(modules: tuple[Module, ...]) -> list[str]:
    """Return the files whose code (docstrings aside) names one particular camera."""
    return [module.path for module in modules if any(_camera_words(module.tree))]


def _camera_words(tree: ast.Module) -> Iterator[str]:
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.FunctionDef | ast.alias | ast.arg | ast.keyword):
            word = getattr(node, "id", None) or getattr(node, "name", None) or node.arg  # type: ignore[union-attr] # one of the three
        elif isinstance(node, ast.Compare):
            word = _compared_camera(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value if id(node) not in prose and len(node.value) < SHORT_LINES else ""
        else:
            continue
        if word and CAMERA_WORDS.search(word):
            yield word


def _compared_camera(node: ast.Compare) -> str:
    sides = [node.left, *node.comparators]
    names = [ast.unparse(side) for side in sides if not isinstance(side, ast.Constant)]
    values = {side.value for side in sides if isinstance(side, ast.Constant)}
    if values & CAMERA_NAMES and any("camera" in name for name in names):
        return "orthographic"
    return ""


def repeated_options(modules: tuple[Module, ...]) -> dict[str, dict[str, list[str]]]:
    """Return, by command, the options that are declared in more than one place."""
    found: dict[str, dict[str, list[str]]] = {}
    for command, homes in OPTION_HOMES.items():
        places: dict[str, list[str]] = defaultdict(list)
        for module in modules:
            for name, where in _declarations(module, command, homes):
                places[name].append(where)
        found[command] = {name: at for name, at in sorted(places.items()) if len(at) > 1}
    return found


def _declarations(
    module: Module, command: str, homes: re.Pattern[str]
) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and homes.match(node.name):
            for name in _fields(node):
                yield name, f"{module.path}:{node.name}"
        elif isinstance(node, ast.FunctionDef) and module.path.startswith("flows/cli/"):
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if node.name == command and "typer." in ast.unparse(argument):
                    yield argument.arg, f"{module.path}:{node.name}"
        elif command == "train" and _is_training_argument(node, module):
            flag = ast.literal_eval(node.args[0]).lstrip("-").replace("-", "_")
            if flag != "request":  # all options as one JSON text
                yield flag, f"{module.path}:add_argument"


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for field in node.body:
        match field:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind):
                if not ast.unparse(kind).startswith("ClassVar"):
                    yield name


def _is_training_argument(node: ast.AST, module: Module) -> TypeGuard[ast.Call]:
    if not module.path.startswith("training/") or not isinstance(node, ast.Call):
        return False
    return isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"


def measure(root: Path) -> dict[str, object]:
    """Measure everything."""
    modules = read_modules(root)
    rooms = lines_by_room(modules)
    return {
        "product_lines": sum(rooms.values()),
        "lines_by_room": rooms,
        "files": len(modules),
        "repeated_file_names": repeated_names(modules),
        "files_under_40_lines": short_files(modules),
        "request_passes_through": walk_request(modules),
        "request_or_a_value_of_it_reaches": walk_request(modules, with_single_values=True),
        "options_declared_twice": repeated_options(modules),
        "files_that_name_a_camera": camera_files(modules),
    }


def measure_revision(root: Path, revision: str) -> dict[str, object]:
    """Measure a commit or a tag; raises CalledProcessError when git does not know it."""
    archive = subprocess.run(
        ["git", "archive", revision], cwd=root, check=True, capture_output=True
    ).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        return measure(Path(folder))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--revision", help="of git: measured instead of the files as they are")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("--verbose", action="store_true", help="list what was counted")
    given = parser.parse_args()
    found = measure_revision(given.root, given.revision) if given.revision else measure(given.root)
    if given.json:
        print(json.dumps(found, indent=1))
        return
    for name, value in found.items():
        _show(name.replace("_", " "), value, verbose=given.verbose)


def _show(name: str, value: object, *, verbose: bool) -> None:
    if not isinstance(value, dict | list):
        print(f"{name}: {value}")
        return
    if name == "lines by room" and isinstance(value, dict):
        print(f"{name}: " + ", ".join(f"{room} {count}" for room, count in value.items()))
        return
    if name == "options declared twice" and isinstance(value, dict):
        print(f"{name}: " + ", ".join(f"{key} {len(value[key])}" for key in value))
    else:
        print(f"{name}: {len(value)}")
    if verbose:
        for one in value:
            print(f"    {one}" + (f": {value[one]}" if isinstance(value, dict) else ""))


if __name__ == "__main__":
    main()
