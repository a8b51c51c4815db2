"""Names in published 2K2K checkpoints and here: a rule, both ways.

Source: tests/training/published_state_dict.tsv; docs/networks.md, "Published checkpoints".
"""

from collections.abc import Iterator, Mapping

from torch import Tensor

from schemas.errors import InputError

NETS = {
    "img2normal_face": "normals.parts.head",
    "img2normal_upper": "normals.parts.upper_body",
    "img2normal_arm": "normals.parts.arms",
    "img2normal_leg": "normals.parts.legs",
    "img2normal_shoe": "normals.parts.feet",
    "img2normal_down": "normals.whole",
}
"""Published name of each normal net, and its name here in phase 2."""

COARSE = ("ImgNorm_to_Dep", "normals.coarse")
REFINE = ("refine", "refinement")
NORMAL_LEVELS, COARSE_LEVELS, STEPS = 4, 5, 3
PHASE_1_PREFIX = "normals."
WRAPPER_PREFIX = "module."


def from_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a published state dict, `module.` or not, to the names of this project's phase 2.

    Raises InputError for a name that the rule does not know: nothing may be left over.
    """
    rule = dict(_rule())
    renamed: dict[str, Tensor] = {}
    for name, value in weights.items():
        ours = _rename(name.removeprefix(WRAPPER_PREFIX), rule)
        if ours is None:
            raise InputError(
                "published checkpoint", found=f"the weight {name}",
                expected="only names of the published 2K2K model",
                hint="Give a checkpoint of 2K2K's phase 1 or phase 2.",
            )  # fmt: skip
        renamed[ours] = value
    return renamed


def to_published(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the weights of phase 2 (or of phase 1) to the published names."""
    rule = {ours: theirs for theirs, ours in _rule()}
    is_second = any(name.startswith(PHASE_1_PREFIX) for name in weights)
    prefix = "" if is_second else PHASE_1_PREFIX
    renamed = {_rename(prefix + name, rule): value for name, value in weights.items()}
    return {name: value for name, value in renamed.items() if name is not None}


def _rename(name: str, rule: Mapping[str, str]) -> str | None:
    """Replace the longest beginning that the rule knows; None when it knows none."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        known = rule.get(".".join(words[:count]))
        if known is not None:
            return ".".join([known, *words[count:]])
    return None


def _rule() -> Iterator[tuple[str, str]]:
    """Yield (published, ours) for every module that owns weights."""
    for theirs, ours in NETS.items():
        for level in range(NORMAL_LEVELS):
            yield f"{theirs}.Conv{level + 1}.conv", f"{ours}.encoder.blocks.{level}"
        yield from _decoder(theirs, ours, NORMAL_LEVELS)
        yield f"{theirs}.Conv_1x1.conv.0", f"{ours}.head"
    theirs, ours = COARSE
    for level in range(COARSE_LEVELS):
        for number, side in ((1, "picture"), (2, "normal")):
            published = f"{theirs}.Conv{level + 1}_{number}.conv"
            yield published, f"{ours}.{side}_encoder.blocks.{level}"
    yield from _decoder(theirs, ours, COARSE_LEVELS)
    yield f"{theirs}.Conv_1x1", f"{ours}.head"
    yield from _refinement(*REFINE)


def _decoder(theirs: str, ours: str, levels: int) -> Iterator[tuple[str, str]]:
    """Yield the decoder's modules: published numbers fall from `levels` to 2, ours rise from 0."""
    for place, number in enumerate(range(levels, 1, -1)):
        yield f"{theirs}.Up{number}.up", f"{ours}.decoder.enlarge.{place}"
        yield f"{theirs}.Att{number}.W_g", f"{ours}.decoder.gates.{place}.gating"
        yield f"{theirs}.Att{number}.W_x", f"{ours}.decoder.gates.{place}.skip"
        yield f"{theirs}.Att{number}.psi", f"{ours}.decoder.gates.{place}.score"
        yield f"{theirs}.Up_conv{number}.conv", f"{ours}.decoder.blocks.{place}"


def _refinement(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    for step in range(STEPS):
        yield f"{theirs}.depth{step + 1}.up", f"{ours}.depth_branches.{step}"
        yield f"{theirs}.normal{step + 1}.conv", f"{ours}.normal_branches.{step}"
        yield f"{theirs}.merge{step + 1}_1.conv", f"{ours}.merges.{step}.0"
        last = "" if step == STEPS - 1 else ".conv.0"
        yield f"{theirs}.merge{step + 1}_2{last}", f"{ours}.merges.{step}.1"
