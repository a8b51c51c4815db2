"""Imports cost less, and leave the process as it was: in processes of their own."""

import subprocess
import sys

import pytest

from tests.flows.live_server import ROOT

COLLECTING = """
import gc
from schemas.many_imports import many_imports
before = gc.get_threshold()
with many_imports():
    rare = gc.get_threshold()
    import decimal
print(rare[0] > 10 * before[0], gc.get_threshold() == before, gc.get_freeze_count() > 1000)
"""
WITHOUT_PANDAS = """
import sys
from schemas.many_imports import keep_pandas_out
keep_pandas_out()
import pyarrow
print(pyarrow.array([b"a", None]).null_count, "pandas" in sys.modules)
import pandas
print(pandas.Series([1]).sum(), sys.meta_path[0].__class__.__name__ == "_NoPandas")
"""


def say(program: str) -> list[str]:
    """Run a program to its end; returns the words that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_garbage_is_collected_rarely_while_the_block_imports() -> None:
    assert say(COLLECTING) == ["True", "True", "True"]


def test_pyarrow_does_without_pandas_and_others_may_import_it() -> None:
    pytest.importorskip("pandas")
    assert say(WITHOUT_PANDAS) == ["1", "False", "1", "False"]
