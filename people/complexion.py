"""Colours of skin, hair and eyes from a person's traits; RGB, 0 to 255, as albedo."""

import numpy as np
from jaxtyping import Float32

from people.traits import Traits

Tone = Float32[np.ndarray, " 3"]

SKIN_PLACES = (0.0, 0.14, 0.3, 0.46, 0.62, 0.8, 1.0)
SKIN_TONES = (
    (232, 199, 182), (222, 183, 160), (204, 160, 131), (177, 132, 103),
    (137, 97, 74), (98, 67, 52), (63, 44, 37),
)  # fmt: skip
"""Melanin and its tone, palest to darkest."""
HAIR_PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
HAIR_TONES = ((26, 21, 19), (50, 35, 26), (92, 64, 42), (146, 110, 70), (196, 162, 112))
RED_HAIR, GREY_HAIR = (140, 66, 34), (176, 172, 168)
EYE_PLACES = (0.0, 0.35, 0.55, 0.75, 1.0)
EYE_TONES = ((44, 28, 19), (84, 56, 36), (92, 84, 58), (88, 104, 100), (98, 122, 142))


def _ramp(value: float, places: tuple[float, ...], tones: tuple[tuple[int, ...], ...]) -> Tone:
    table = np.array(tones, np.float32)
    return np.array([np.interp(value, places, table[:, i]) for i in range(3)], np.float32)


def skin_tone(traits: Traits) -> Tone:
    """Return the mean colour of the skin."""
    tone = _ramp(traits.melanin, SKIN_PLACES, SKIN_TONES)
    ruddy = np.array([1 + 0.02 * traits.ruddy, 1 - 0.035 * traits.ruddy, 1 - 0.05 * traits.ruddy])
    return np.asarray(tone * ruddy, np.float32)


def hair_tone(traits: Traits) -> Tone:
    """Return the mean colour of the hair."""
    tone = _ramp(traits.hair_tone, HAIR_PLACES, HAIR_TONES)
    tone = tone + traits.hair_red * (np.array(RED_HAIR) - tone)
    return np.asarray(tone + traits.grey * (np.array(GREY_HAIR) - tone), np.float32)


def brow_tone(traits: Traits) -> Tone:
    """Return the colour of brows and lashes: darker than the hair, grey later."""
    tone = _ramp(traits.hair_tone * 0.7, HAIR_PLACES, HAIR_TONES)
    tone = tone + 0.8 * traits.hair_red * (np.array(RED_HAIR) * 0.8 - tone)
    return np.asarray(tone + 0.45 * traits.grey * (np.array(GREY_HAIR) - tone), np.float32)


def eye_tone(traits: Traits) -> Tone:
    """Return the mean colour of the iris."""
    return _ramp(traits.eye_tone, EYE_PLACES, EYE_TONES)
