"""Bytes made hostile: cut, flipped, repeated, replaced; a pure function of the case's number."""

import random
from collections.abc import Callable

Mutation = Callable[[bytes, random.Random], bytes]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 4, 32))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _repeat(data: bytes, chance: random.Random) -> bytes:
    start, length = chance.randrange(len(data)), chance.randrange(1, 200)
    return data[:start] + data[start : start + length] * chance.choice((2, 50)) + data[start:]


def _drop(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 64) :]


def _overwrite(data: bytes, chance: random.Random) -> bytes:
    start, noise = chance.randrange(len(data)), chance.randbytes(chance.choice((1, 8, 64)))
    return data[:start] + noise + data[start + len(noise) :]


def _grow_number(data: bytes, chance: random.Random) -> bytes:
    digits = [place for place, value in enumerate(data) if chr(value).isdigit()]
    if not digits:
        return _flip(data, chance)
    place = chance.choice(digits)
    return data[:place] + chance.choice((b"9" * 30, b"-1", b"nan", b"1e999")) + data[place + 1 :]


MUTATIONS: tuple[Mutation, ...] = (_cut, _flip, _repeat, _drop, _overwrite, _grow_number)


def mutate(data: bytes, seed: int) -> bytes:
    """Return the hostile form of a well-formed file; equal seeds give equal bytes."""
    chance = random.Random(seed)  # noqa: S311 - no secret: a reproducible corpus
    return MUTATIONS[seed % len(MUTATIONS)](data, chance)
