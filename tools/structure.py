"""Measure the structure of the product: `make structure`.

Prints product lines by room, file names that occur twice, short files, the files that `render`'s
request passes through, options declared more than once, and files that name a camera.
Nothing of the product is imported or run: the figures come from the syntax trees alone.

    python tools/structure.py [--root DIR] [--revision REV] [--json] [--verbose]
"""

import argparse
import ast
import hashlib
import io
import json
import re
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

ROOMS = ("schemas", "renderers", "tasks", "people", "flows", "training")
"""Product rooms; tests, benchmarks and tools are no product."""

SHORT_LINES = 40
MAY_REPEAT = frozenset({"__init__.py", "task.py"})
ENTRY = ("flows/render.py", "render", "request")

CAMERA_WORDS = re.compile(
    r"orthographic|camera_(2k2k|hdnet)|hdnet_(placement|resolution|centre|focal|crop)|before_hdnet",
    re.IGNORECASE,
)
"""Identifiers and constants that belong to one camera."""

CAMERA_NAMES = frozenset({"2k2k", "orthographic", "hdnet"})

LIBRARY_METHODS = frozenset(
    name
    for kind in (io.BytesIO, io.StringIO, Path, str, bytes, dict, list, set, type(hashlib.sha256()))
    for name in dir(kind)
)
"""A method so called is not entered by its name alone: it is more likely a library's."""

OPTION_HOMES: Mapping[str, re.Pattern[str]] = {
    "render": re.compile(r"^(Render\w*(Settings|Request|Options))$"),
    "pair": re.compile(r"^(Pair\w*(Settings|Request|Options))$"),
    "train": re.compile(
        r"^(Train\w*(Settings|Request|Options)|(Model|Data|Run|Launch)(Settings|Options))$"
    ),
}
"""Classes whose fields are options, by command."""


@dataclass(frozen=True, slots=True)
class Module:
    """One product file. path: below the root, with forward slashes."""

    path: str
    lines: int
    tree: ast.Module


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
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.target.id, f"{module.path}:{node.name}"
        elif isinstance(node, ast.FunctionDef) and module.path.startswith("flows/cli/"):
            for argument in (*node.args.args, *node.args.kwonlyargs):
                if node.name == command and "typer." in ast.unparse(argument):
                    yield argument.arg, f"{module.path}:{node.name}"
        elif command == "train" and _is_training_argument(node, module):
            flag = ast.literal_eval(node.args[0])
            yield flag.lstrip("-").replace("-", "_"), f"{module.path}:add_argument"


def _is_training_argument(node: ast.AST, module: Module) -> TypeGuard[ast.Call]:
    if not module.path.startswith("training/") or not isinstance(node, ast.Call):
        return False
    return isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method. key: path, then class and name."""

    key: tuple[str, str]
    node: ast.FunctionDef
    is_method: bool

    @property
    def parameters(self) -> list[str]:
        """Names of all parameters, without self."""
        given = self.node.args
        names = [one.arg for one in (*given.posonlyargs, *given.args)]
        return names[1:] if self.is_method and not _is_static(self.node) else names


class Index:
    """Owns: where every name of the product is defined."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        """Read definitions and imports of all modules."""
        self.functions: dict[tuple[str, str], Function] = {}
        self.methods: dict[str, list[Function]] = defaultdict(list)
        self.classes: set[tuple[str, str]] = set()
        self._imports: dict[tuple[str, str], tuple[str, str]] = {}
        self._paths = {module.path for module in modules}
        for module in modules:
            self._read(module)

    def resolve(self, path: str, name: str) -> tuple[str, str]:
        """Follow imports from a name used in a file to where it is defined."""
        key = (path, name)
        while key in self._imports:
            key = self._imports[key]
        return key

    def _read(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self._read_import(module.path, node)
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef):
                self._add(module.path, node.name, node, is_method=False)
            elif isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases):
                self.classes.add((module.path, node.name))
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef):
                        self._add(module.path, f"{node.name}.{inner.name}", inner, is_method=True)

    def _read_import(self, path: str, node: ast.ImportFrom) -> None:
        base = (node.module or "").replace(".", "/")
        for source in (f"{base}.py", f"{base}/__init__.py"):
            if source in self._paths:
                for alias in node.names:
                    self._imports[(path, alias.asname or alias.name)] = (source, alias.name)

    def _add(self, path: str, name: str, node: ast.FunctionDef, *, is_method: bool) -> None:
        function = Function((path, name), node, is_method)
        self.functions[(path, name)] = function
        if is_method:
            self.methods[node.name].append(function)


def _is_static(node: ast.FunctionDef) -> bool:
    return any(getattr(one, "id", "") == "staticmethod" for one in node.decorator_list)


class Walk:
    """Follows one parameter through the calls that pass it on. Owns: what was visited.

    A value carries the parameter when it is the parameter, an attribute, element or method result
    of something that carries it, or is built from such values by a class or by a function that
    returns something that carries it. A call with such an argument enters the function called. A
    method is entered when its class is known by name, or when no other class has one so called.
    """

    def __init__(self, index: Index) -> None:
        """Take the index of the product."""
        self._index = index
        self._seen: dict[tuple[tuple[str, str], frozenset[str]], bool] = {}
        self.files: dict[str, str] = {}

    def enter(self, function: Function, carried: frozenset[str], came_from: str) -> bool:
        """Walk one function; returns whether what it returns carries the parameter."""
        key = (function.key, carried)
        if key in self._seen:
            return self._seen[key]
        self._seen[key] = False
        self.files.setdefault(function.key[0], f"{function.key[1]} from {came_from}")
        names = set(carried)
        for _ in range(2):  # a loop may use a name before the line that fills it
            self._seen[key] |= self._walk_body(function, names)
        return self._seen[key]

    def _walk_body(self, function: Function, names: set[str]) -> bool:
        returns = False
        for node in ast.walk(function.node):
            if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value:
                returns |= self._carries(function, node.value, names)
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.AugAssign):
                if node.value is not None and self._carries(function, node.value, names):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    names |= set(_names_of(targets))
            elif isinstance(node, ast.For | ast.comprehension):
                if self._carries(function, node.iter, names):
                    names |= set(_names_of([node.target]))
            elif isinstance(node, ast.withitem):
                if self._carries(function, node.context_expr, names) and node.optional_vars:
                    names |= set(_names_of([node.optional_vars]))
            elif isinstance(node, ast.Call):
                self._call(function, node, names)
        return returns

    def _carries(self, function: Function, value: ast.expr, names: set[str]) -> bool:
        if isinstance(value, ast.Name):
            return value.id in names
        if isinstance(value, ast.Attribute | ast.Subscript | ast.Starred | ast.Await):
            return self._carries(function, value.value, names)
        if isinstance(value, ast.Call):
            return self._call(function, value, names)
        if isinstance(value, ast.Compare | ast.Constant | ast.Lambda | ast.JoinedStr):
            return False  # an answer or a text about the value, no longer the value
        if isinstance(value, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return any(self._carries(function, part.iter, names) for part in value.generators)
        parts = [part for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr)]
        return any(self._carries(function, part, names) for part in parts)

    def _call(self, function: Function, call: ast.Call, names: set[str]) -> bool:
        arguments = [*call.args, *(one.value for one in call.keywords)]
        given = [self._carries(function, one, names) for one in arguments]
        owner = isinstance(call.func, ast.Attribute) and self._carries(
            function, call.func.value, names
        )
        if not any(given) and not owner:
            return False
        callee = self._find(function, call)
        carried = _bind(callee, call, given, owner=owner) if callee else frozenset()
        if callee is None or not carried:
            # A class, a builtin or a library's function: what it makes holds what it was given.
            return True
        return self.enter(callee, carried, function.key[0]) or owner

    def _find(self, function: Function, call: ast.Call) -> Function | None:
        path = function.key[0]
        if isinstance(call.func, ast.Name):
            key = self._index.resolve(path, call.func.id)
            if key in self._index.classes:
                return self._index.functions.get((key[0], f"{key[1]}.__init__"))
            return self._index.functions.get(key)
        if not isinstance(call.func, ast.Attribute):
            return None
        if isinstance(call.func.value, ast.Name):
            source, name = self._index.resolve(path, call.func.value.id)
            known = self._index.functions.get((source, f"{name}.{call.func.attr}"))
            if known:
                return known
        candidates = self._index.methods.get(call.func.attr, [])
        is_known = len(candidates) == 1 and call.func.attr not in LIBRARY_METHODS
        return candidates[0] if is_known else None


def _names_of(targets: Sequence[ast.expr]) -> Iterator[str]:
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


def _bind(callee: Function, call: ast.Call, given: list[bool], *, owner: bool) -> frozenset[str]:
    """Return the parameters of the callee that get something that carries."""
    names = callee.parameters
    bound = {"self"} if owner and callee.is_method else set()
    for place, _ in enumerate(call.args):
        if given[place] and place < len(names):
            bound.add(names[place])
    for keyword, carries in zip(call.keywords, given[len(call.args) :], strict=True):
        if carries and keyword.arg:
            bound.add(keyword.arg)
    return frozenset(bound)


def walk_request(modules: tuple[Module, ...]) -> dict[str, str]:
    """Return the files that `render`'s request passes through, and the call that led into each."""
    path, name, parameter = ENTRY
    index = Index(modules)
    walk = Walk(index)
    walk.enter(index.functions[(path, name)], frozenset({parameter}), "the flow's caller")
    return walk.files


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
