"""A bucket that loses requests, or their answers: for benchmarks/simulation.py.

Takes the place of the driver (fsspec's file system for S3) below schemas.s3_store: what that asks
with call_s3, ls, cat_file and cat_ranges. Objects are whole or absent and conditions hold at once,
as S3 promises; ETags are those of the content, so that equal objects have equal ones.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fsspec import AbstractFileSystem

from benchmarks.simulated_machine import Machine


class PreconditionFailed(Exception):  # noqa: N818 - S3's own name
    """The object is another one than the request names."""


class _Object(NamedTuple):
    data: bytes
    metadata: Mapping[str, str]

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data, usedforsecurity=False).hexdigest()}"'


class Bucket(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Objects by their keys. lost: requests, or answers, that are lost from now on."""

    cachable = False

    def __init__(self, machine: Machine) -> None:
        """Begin without objects."""
        super().__init__()
        self.machine = machine
        self.objects: dict[str, _Object] = {}
        self.lost = 0

    def call_s3(
        self,
        method: str,
        *,
        Key: str,
        Bucket: str = "",
        **named: Any,  # noqa: ANN401 - arguments of the method
    ) -> dict[str, Any]:
        """Do what S3 does; raises ConnectionError when the request or its answer is lost."""
        del Bucket
        self._give_way(f"{method.replace('_', ' ')} in {Key.rsplit('/', 2)[-2]}")
        is_lost = self._is_lost()
        if is_lost and self.machine.random.getrandbits(1):
            raise ConnectionError("the request is lost")
        answer: dict[str, Any] = getattr(self, f"_{method}")(Key, **named)
        self._give_way(f"answer of {method.replace('_', ' ')}")
        if is_lost:
            raise ConnectionError("the answer is lost")
        return answer

    def ls(self, place: str, *, detail: bool) -> list[str]:
        """List what is below a prefix."""
        del detail
        self._give_way("list")
        prefix = place.partition("/")[2] + "/"
        below = {
            key[len(prefix) :].partition("/")[0]
            for key in self.objects
            if key[: len(prefix)] == prefix
        }
        if not below:
            raise FileNotFoundError(place)
        return [f"{place}/{name}" for name in sorted(below)]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        """Read an object, or a range of it."""
        self._give_way("read")
        return self._get(path.partition("/")[2]).data[start:end]

    def cat_ranges(
        self, paths: Sequence[str], starts: Sequence[int], ends: Sequence[int], on_error: str
    ) -> list[bytes]:
        """Read several ranges."""
        del on_error
        return [self.cat_file(*one) for one in zip(paths, starts, ends, strict=True)]

    def _give_way(self, name: str) -> None:
        self.machine.step(name)

    def _is_lost(self) -> bool:
        if self.machine.current is None or self.lost <= 0:
            return False
        self.lost -= 1
        return True

    def _get(self, key: str) -> _Object:
        if key not in self.objects:
            raise FileNotFoundError(key)
        return self.objects[key]

    def _require(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        there = self.objects.get(key)
        if if_none_match == "*" and there is not None:
            raise PreconditionFailed(key)
        if if_match is not None and there is None:
            raise FileNotFoundError(key)
        if if_match is not None and there is not None and there.etag != if_match:
            raise PreconditionFailed(key)

    def _put_object(
        self,
        key: str,
        *,
        Body: bytes,
        Metadata: Mapping[str, str],
        IfMatch: str | None = None,
        IfNoneMatch: str | None = None,
    ) -> dict[str, Any]:
        self._require(key, IfMatch, IfNoneMatch)
        self.objects[key] = _Object(bytes(Body), dict(Metadata))
        return {"ETag": self.objects[key].etag}

    def _head_object(self, key: str) -> dict[str, Any]:
        found = self._get(key)
        size = len(found.data)
        return {"ContentLength": size, "ETag": found.etag, "Metadata": dict(found.metadata)}

    def _delete_object(
        self,
        key: str,
        *,
        IfMatch: str | None = None,
    ) -> dict[str, Any]:
        self._require(key, IfMatch, None)
        self.objects.pop(key, None)
        return {}
