"""Material files of OBJ: the plain colour and the colour image of each material."""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES
from tasks.scans.files import show

_OPTION_VALUES = {
    "-blendu": 1,
    "-blendv": 1,
    "-boost": 1,
    "-bm": 1,
    "-cc": 1,
    "-clamp": 1,
    "-colorspace": 1,
    "-imfchan": 1,
    "-mm": 2,
    "-texres": 1,
    "-type": 1,
}
"""Words that follow an option of map_Kd. Source: the MTL specification (Alias, 1995)."""

_VECTOR_OPTIONS = {"-o": 0.0, "-s": 1.0, "-t": 0.0}
"""Options with one to three numbers, and the number that changes nothing."""


@dataclass(frozen=True, slots=True)
class MtlMaterial:
    """One material as written. color: RGB, None where absent. texture: the name, unchecked."""

    name: str
    color: tuple[int, int, int] | None = None
    texture: str | None = None


def read_mtl(path: Path) -> tuple[dict[str, MtlMaterial], tuple[str, ...]]:
    """Read a material file; returns its materials by name, and warnings.

    Opens nothing that it names. Raises InputError when it is missing, empty or too big.
    """
    return parse_mtl(read_whole(path, MAX_TEXT_BYTES), path.name)


def parse_mtl(data: bytes, name: str) -> tuple[dict[str, MtlMaterial], tuple[str, ...]]:
    """Read the bytes of a material file; name: what warnings call it."""
    materials: dict[str, MtlMaterial] = {}
    warnings: list[str] = []
    current = ""
    text = data.decode("utf-8-sig", "surrogateescape").replace("\\\n", " ").replace("\\\r\n", " ")
    for number, line in enumerate(text.splitlines(), start=1):
        keyword, _, rest = line.strip().replace("\t", " ").partition(" ")
        if keyword == "newmtl":
            current = rest.strip()
            materials[current] = MtlMaterial(current)
        elif keyword in ("Kd", "map_Kd", "map_kd") and current in materials:
            materials[current], warning = _add(materials[current], keyword, rest)
            warnings += [f"{name}, line {number}: {warning}"] * bool(warning)
    return materials, tuple(warnings)


def _add(material: MtlMaterial, keyword: str, rest: str) -> tuple[MtlMaterial, str]:
    if keyword == "Kd":
        color = _parse_color(rest)
        warning = "" if color else f"Kd {show(rest.strip())} is no colour"
        return MtlMaterial(material.name, color, material.texture), warning
    texture, warning = split_options(rest)
    return MtlMaterial(material.name, material.color, texture or None), warning


def split_options(rest: str) -> tuple[str, str]:
    """Split what follows map_Kd into the file name and a warning about options that matter."""
    words, warning = rest.strip(), ""
    while words.startswith("-"):
        option, _, words = words.partition(" ")
        if option in _VECTOR_OPTIONS:
            values, words = _take_numbers(words)
            if any(value != _VECTOR_OPTIONS[option] for value in values):
                warning = f"map_Kd {option} moves or scales the image: unused"
        elif option in _OPTION_VALUES:
            for _ in range(_OPTION_VALUES[option]):
                words = words.strip().partition(" ")[2]
        else:
            return f"{option} {words}".strip(), warning
        words = words.strip()
    return words, warning


def _take_numbers(words: str) -> tuple[list[float], str]:
    values: list[float] = []
    for _ in range(3):
        word, _, rest = words.strip().partition(" ")
        number = _to_float(word)
        if number is None:
            break
        values.append(number)
        words = rest
    return values, words


def _parse_color(rest: str) -> tuple[int, int, int] | None:
    numbers = [_to_float(word) for word in rest.split()]
    red, green, blue = (*numbers, None, None, None)[:3] if len(numbers) != 1 else numbers * 3
    if red is None or green is None or blue is None:
        return None
    return _to_byte(red), _to_byte(green), _to_byte(blue)


def _to_byte(value: float) -> int:
    return round(255 * min(max(value, 0.0), 1.0))


def _to_float(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if isfinite(number) else None
