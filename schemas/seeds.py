"""Every random choice is a pure function of the run's seed and of what the choice is for."""

import hashlib

import numpy as np

SEED_BITS = 63


def derive_seed(seed: int, *purpose: str) -> int:
    """Derive a seed in 0..2**63-1 from a run's seed and the names of what it is for."""
    text = "\x1f".join((str(seed), *purpose)).encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Make a generator for one purpose; PCG64, whose stream numpy keeps stable."""
    return np.random.Generator(np.random.PCG64(derive_seed(seed, *purpose)))
