import os
from pathlib import Path
from typing import BinaryIO

import pytest

from schemas.errors import RequestError
from schemas.object_cache import BOUND_VARIABLE, Fetch, ObjectCache


def of(data: bytes) -> Fetch:
    def fetch(file: BinaryIO) -> None:
        file.write(data)

    return fetch


def never(_file: BinaryIO) -> None:
    raise AssertionError("fetched")


def use(cache: ObjectCache, key: str, *, at_s: float = 0) -> Path:
    """Use an object of 10 bytes; at_s: when that was."""
    with cache.hold(key, 10, of(key.encode() * 10)) as path:
        os.utime(path, (at_s, at_s))
        return path


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "objects", 25)


def test_an_object_is_fetched_once(cache: ObjectCache) -> None:
    use(cache, "a")
    with cache.hold("a", 10, never) as path:
        assert path.read_bytes() == b"a" * 10


def test_what_was_used_longest_ago_goes_first(cache: ObjectCache) -> None:
    first, second = use(cache, "a", at_s=200), use(cache, "b", at_s=100)
    third = use(cache, "c", at_s=300)
    assert [path.exists() for path in (first, second, third)] == [True, False, True]


def test_what_is_in_use_is_not_removed(cache: ObjectCache) -> None:
    with cache.hold("a", 10, of(b"a" * 10)) as held:
        os.utime(held, (0, 0))
        use(cache, "b", at_s=100)
        use(cache, "c", at_s=200)
        assert held.read_bytes() == b"a" * 10
    assert sum(path.stat().st_size for path in cache.root.iterdir()) <= 25


def test_nothing_is_left_of_an_object_that_could_not_be_fetched(cache: ObjectCache) -> None:
    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise KeyError

    with pytest.raises(KeyError):
        cache.open("a", 10, fail)
    assert list(cache.root.iterdir()) == []


@pytest.mark.parametrize("text", ["much", "-1", "inf", "nan"])
def test_a_bound_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(BOUND_VARIABLE, text)
    with pytest.raises(RequestError, match=f"{BOUND_VARIABLE}: {text}; expected a number of gig"):
        ObjectCache.of_user()


def test_the_bound_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(BOUND_VARIABLE, "1.5")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ObjectCache.of_user() == ObjectCache(tmp_path / "scanmill/objects", 1_500_000_000)
