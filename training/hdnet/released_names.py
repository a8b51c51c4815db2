"""Names of variables in HDNet's released TensorFlow checkpoints and here: a rule, both ways.

conv1 .. conv18 count the convolutions from the image to the head. Weights are (height, width, in,
out) there. What batch norm averaged and the optimiser's slots are never used: they are left out,
and written as they begin (mean 0, variance 1). Source: docs/networks.md, "Released HDNet".
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from schemas.errors import InputError, RequestError
from training.hdnet.hourglass import DECODER_CHANNELS, ENCODER_CHANNELS
from training.hdnet.tensorflow_bundle import (
    INDEX_SUFFIX,
    list_variables,
    read_variables,
    write_variables,
)

SCOPES: Final = {3: "hourglass_normal_prediction", 9: "hourglass_stack_fused_depth_prediction"}
"""By the channels of the input: normals from RGB, depth from RGB, normals and DensePose."""

FIRST_WEIGHT = "encoder.0.0.weight"
LAYERS_A_CONV = 3
"""Convolution, norm, ReLU."""

_ROLES = {"weight": "weights", "bias": "biases", "beta": "beta"}
_TO_OURS, _TO_THEIRS = (3, 2, 0, 1), (2, 3, 1, 0)


def find_bundle(path: Path) -> Path | None:
    """Return the prefix of the TensorFlow checkpoint that a path names; None where it is none."""
    prefix = path.with_name(path.name.split(".data-")[0].removesuffix(INDEX_SUFFIX))
    return prefix if Path(f"{prefix}{INDEX_SUFFIX}").is_file() else None


def read_released(prefix: Path) -> dict[str, Tensor]:
    """Read the net of a bundle under the names of this project.

    Raises InputError when a variable is missing or damaged, RequestError when there are no or two
    nets.
    """
    names = list_variables(prefix)
    scopes = [scope for scope in SCOPES.values() if any(n.startswith(scope + "/") for n in names)]
    if len(scopes) != 1:
        raise RequestError(
            str(prefix), found=f"{len(scopes)} nets of HDNet in it",
            expected=f"variables below one of {' and '.join(SCOPES.values())}",
            hint="Save the nets one by one with TensorFlow's Saver.",
        )  # fmt: skip
    variables = read_variables(prefix, scopes[0])
    weights: dict[str, Tensor] = {}
    for ours, theirs in _rule():
        if theirs not in variables:
            raise InputError(
                str(prefix), found=f"no float variable {scopes[0]}/{theirs}",
                expected="all weights, biases and shifts of conv1 to conv18",
                hint="Fetch the released checkpoint again.",
            )  # fmt: skip
        values = variables[theirs]
        turned = values.transpose(_TO_OURS) if values.ndim == len(_TO_OURS) else values
        weights[ours] = torch.from_numpy(np.ascontiguousarray(turned))
    return weights


def write_released(prefix: Path, weights: Mapping[str, Tensor]) -> None:
    """Write an hourglass as a bundle that TensorFlow's Saver restores."""
    scope = SCOPES[weights[FIRST_WEIGHT].shape[1]]
    variables: dict[str, np.ndarray] = {}
    for ours, theirs in _rule():
        values = weights[ours].detach().cpu().float().numpy()
        turned = values.transpose(_TO_THEIRS) if values.ndim == len(_TO_THEIRS) else values
        variables[f"{scope}/{theirs}"] = np.ascontiguousarray(turned)
        if theirs.endswith("/beta"):
            conv = f"{scope}/{theirs.removesuffix('/beta')}"
            variables[f"{conv}/moving_mean"] = np.zeros_like(values)
            variables[f"{conv}/moving_variance"] = np.ones_like(values)
    write_variables(prefix, variables)


def _rule() -> Iterator[tuple[str, str]]:
    """Yield (ours, theirs) for every weight."""
    levels = [*(("encoder", n, level) for n, level in enumerate(ENCODER_CHANNELS))]
    levels += [("decoder", n, level) for n, level in enumerate(DECODER_CHANNELS)]
    number = 0
    for half, place, channels in levels:
        for count in range(len(channels)):
            number += 1
            first = LAYERS_A_CONV * count
            for role, layer in (("weight", first), ("bias", first), ("beta", first + 1)):
                yield f"{half}.{place}.{layer}.{role}", f"conv{number}/{_ROLES[role]}"
    for role in ("weight", "bias"):
        yield f"head.{role}", f"conv{number + 1}/{_ROLES[role]}"
