"""A worker process that draws, and a cache folder of each test's own."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from renderers.session import open_session


@pytest.fixture(scope="session")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """One process with a drawing session of its own, as the render flow has several."""
    spawn = multiprocessing.get_context("spawn")
    cache = str(tmp_path_factory.mktemp("painters-cache"))
    with ProcessPoolExecutor(
        1, mp_context=spawn, initializer=open_easel, initargs=(cache,)
    ) as pool:
        yield pool


def open_easel(cache: str) -> None:
    """Prepare the painter's process."""
    os.environ["XDG_CACHE_HOME"] = cache
    open_session()


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the fingerprints of a test apart from the user's and from other tests'."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder
