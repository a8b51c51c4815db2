"""Things that are made on first use, found again by name, and freed with their owner."""

from collections.abc import Callable
from typing import Protocol, TypeVar, cast, runtime_checkable


@runtime_checkable
class Closable(Protocol):
    """Anything that holds GL objects and can free them."""

    def close(self) -> None:
        """Free the GL objects; called while the context is current."""


Kept = TypeVar("Kept", bound=Closable)


class Keeper:
    """Own things by name; free them in the opposite order of their making."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: dict[str, Closable] = {}

    def keep(self, key: str, make: Callable[[], Kept]) -> Kept:
        """Return what is kept under this key, made now if it is not there."""
        if key not in self._kept:
            self._kept[key] = make()
        return cast("Kept", self._kept[key])

    def close(self) -> None:
        """Free everything; idempotent."""
        while self._kept:
            self._kept.popitem()[1].close()
