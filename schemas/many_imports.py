"""Importing large libraries in less time: what they define stays, so no garbage is looked for."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.util import find_spec

NORMAL = gc.get_threshold()
FEW_COLLECTIONS = (50_000, 20, 20)


def expect_many_imports() -> None:
    """Collect garbage rarely until `end_imports`: of a process that begins with its imports."""
    gc.set_threshold(*FEW_COLLECTIONS)


def end_imports() -> None:
    """Collect garbage as usual from now on, but never look at what is there already."""
    gc.freeze()
    gc.set_threshold(*NORMAL)


@contextmanager
def many_imports() -> Iterator[None]:
    """Collect garbage rarely while the block imports."""
    expect_many_imports()
    try:
        yield
    finally:
        end_imports()


def keep_pandas_out() -> None:
    """Let pyarrow not import pandas, which takes 0.3 s, to know its null values: we have none.

    It looks for pandas as it converts its first value, and never again in this process.
    """
    if "pandas" in sys.modules or find_spec("pandas") is None:
        return
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import_module("pyarrow").array([0])
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, _path: object, _target: object = None) -> None:
        """Refuse pandas; others find the rest."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)
