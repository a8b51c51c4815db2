"""The files that a request passes through, followed from call to call in the syntax trees."""

import ast
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ENTRY = ("flows/render.py", "render", "request")

LIBRARY_METHODS = frozenset(
    name
    for kind in (
        io.BytesIO,
        io.StringIO,
        Path,
        str,
        bytes,
        dict,
        list,
        set,
        type(hashlib.sha256()),
        ThreadPoolExecutor,
    )
    for name in dir(kind)
)
"""A method so called is not entered by its name alone: it is more likely a library's."""

SINGLE_TYPES = frozenset({"str", "int", "float", "bool", "bytes", "Path", "DatasetStore"})
"""A store is its address, as a folder is its path."""

SEVERAL = frozenset({"Iterable", "Sequence", "Collection", "list", "set", "frozenset"})


@dataclass(frozen=True, slots=True)
class Module:
    """One product file. path: below the root, with forward slashes."""

    path: str
    lines: int
    tree: ast.Module


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

    @property
    def types(self) -> dict[str, ast.expr | None]:
        """Annotations of all parameters by their names; self has its class."""
        given = self.node.args
        named = {
            one.arg: one.annotation for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)
        }
        return (
            named | {"self": ast.Name(self.key[1].partition(".")[0])} if self.is_method else named
        )


class Index:
    """Owns: where every name of the product is defined."""

    def __init__(self, modules: tuple[Module, ...]) -> None:
        """Read definitions and imports of all modules."""
        self.functions: dict[tuple[str, str], Function] = {}
        self.methods: dict[str, list[Function]] = defaultdict(list)
        self.classes: set[tuple[str, str]] = set()
        self._single_types = set(SINGLE_TYPES)
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

    def is_single(self, annotation: ast.expr | None) -> bool:
        """Return whether a type has single values only: a text, a number, a path, a word of some.

        None, several of one such type, and a class around one such value (a folder is its path) are
        single values too.
        """
        if isinstance(annotation, ast.Constant):
            return annotation.value is None or annotation.value in self._single_types
        if isinstance(annotation, ast.BinOp):
            return self.is_single(annotation.left) and self.is_single(annotation.right)
        if isinstance(annotation, ast.Subscript):
            return ast.unparse(annotation.value) in SEVERAL and self.is_single(annotation.slice)
        return isinstance(annotation, ast.Name) and annotation.id in self._single_types

    def _read(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self._read_import(module.path, node)
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef):
                self._add(module.path, node.name, node, is_method=False)
            elif isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Literal["):
                self._single_types.update(map(ast.unparse, node.targets))
            elif isinstance(node, ast.ClassDef) and "Protocol" not in map(ast.unparse, node.bases):
                self.classes.add((module.path, node.name))
                fields = [one.annotation for one in node.body if isinstance(one, ast.AnnAssign)]
                if not node.bases and len(fields) == 1 and self.is_single(fields[0]):
                    self._single_types.add(node.name)
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
    returns something that carries it. A call with such an argument enters the function called,
    unless the function takes it as a single value (see Index.is_single): then it is given just what
    it needs. A method is entered when its class is known by name, or when no other class has one so
    called.
    """

    def __init__(self, index: Index, *, with_single_values: bool) -> None:
        """Take the index of the product. with_single_values: functions that take these too."""
        self._index, self._with_single_values = index, with_single_values
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
        if not self._with_single_values:
            types = callee.types
            carried = frozenset(
                name for name in carried if not self._index.is_single(types.get(name))
            )
        if not carried:
            return not self._index.is_single(callee.node.returns)
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


def walk_request(
    modules: tuple[Module, ...], *, with_single_values: bool = False
) -> dict[str, str]:
    """Return the files that `render`'s request passes through, and the call that led into each.

    with_single_values: also the files that only single values of it reach, such as a path.
    """
    path, name, parameter = ENTRY
    index = Index(modules)
    walk = Walk(index, with_single_values=with_single_values)
    walk.enter(index.functions[(path, name)], frozenset({parameter}), "the flow's caller")
    return walk.files
