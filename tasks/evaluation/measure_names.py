"""Names of measures and figures, as people read them."""

from schemas.evaluation import Interval

HIGHER_IS_BETTER = frozenset(
    {"normal_consistency", "silhouette_overlap", "mask_overlap", "mesh_coverage"}
)
_UNITS = {"cm": "cm", "degrees": "degrees"}


def describe_measure(name: str) -> str:
    """Write a measure's name for people: unit in brackets, and which way is better."""
    return f"{plain_name(name)} {'↑' if name in HIGHER_IS_BETTER else '↓'}"


def plain_name(name: str) -> str:
    """Write a measure's name with its unit in brackets."""
    stem, _, last = name.rpartition("_")
    unit = _UNITS.get(last)
    text = (stem if unit else name).replace("_", " ")
    return f"{text} ({unit})" if unit else text


def format_figure(one: Interval | None) -> str:
    """Write a figure with three digits, and its interval where there are several items."""
    if one is None:
        return "-"
    if one.items == 1:
        return f"{one.mean:#.3g}"
    return f"{one.mean:#.3g} [{one.low:#.3g}, {one.high:#.3g}]"
