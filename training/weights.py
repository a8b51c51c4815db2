"""Weights to start from, read from every form in which they come.

Nothing that a foreign file holds is run: safetensors hold no code, published files are read as
weights only, step folders by an index that may name tensors alone, TensorFlow's checkpoints by a
reader of their own.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from schemas.errors import InputError, RequestError
from schemas.regular_files import open_regular_file
from schemas.wording import shorten, shorten_text
from training.hdnet.released_names import find_bundle, read_released
from training.loop.checkpoint_index import INDEX_FILE, PICKLE_FAILURES
from training.loop.checkpoints import (
    BEST,
    find_resumable,
    named_by,
    read_tensors,
    verify_files,
)
from training.loop.model_files import MODEL_FILE, verify_model
from training.loop.trainer import MODEL_PREFIX
from training.twok2k.published_names import PHASE_1_PREFIX, from_published

PUBLISHED_KEY = "model_state_dict"
_REFINEMENT_PREFIX = "refinement."


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read weights, in this project's names, from a run, a step folder or a file.

    A run gives model.safetensors, else its best, else its latest step. Raises RequestError when
    there is nothing to read, InputError when it can't be read, or is phase 2 without its
    refinement net.
    """
    bundle = find_bundle(path)
    if bundle is not None:
        return read_released(bundle)
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise RequestError(
            str(path), found="no such file or folder",
            expected="a run, a step folder, a safetensors file or a published checkpoint",
            hint="Check the path given to --init.",
        )  # fmt: skip
    open_regular_file(path).close()
    if path.suffix == ".safetensors":
        return _check_phase(path, _read_safetensors(path))
    return _read_published(path)


def adopt_weights(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    source: str,
    *,
    fresh_refinement: bool = False,
) -> None:
    """Load weights: the model's own, phase 1's into phase 2, or phase 2's into phase 1."""
    fitting = fit_weights(model, weights, source, fresh_refinement=fresh_refinement)
    model.load_state_dict(fitting, strict=False)


def fit_weights(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    source: str,
    *,
    fresh_refinement: bool = False,
) -> dict[str, Tensor]:
    """Return weights under the model's names; the model may be on the meta device.

    Nothing may be missing or left over. fresh_refinement: for a training of phase 2 that starts
    from phase 1, which has no refinement net; half of one is refused there, too. Raises
    RequestError naming the first weight that does not fit.
    """
    own = model.state_dict()
    given = dict(weights)
    if not set(given) & set(own):
        given = _across_phases(given)
    refinement = {name for name in own if name.startswith(_REFINEMENT_PREFIX)}
    is_absent = fresh_refinement and refinement.isdisjoint(given)
    optional = refinement if is_absent else set()
    missing = [name for name in own if name not in given and name not in optional]
    left_over = [name for name in given if name not in own]
    unlike = [
        name for name, value in own.items() if name in given and given[name].shape != value.shape
    ]
    for what, names in (("lacks", missing), ("has too much", left_over), ("differs in", unlike)):
        if names:
            raise RequestError(
                source, found=f"{what} {names[0]} and {len(names) - 1} more",
                expected="the weights of this model, width and nets",
                hint="Give a checkpoint of the same --width and --nets.",
            )  # fmt: skip
    return given


def digest_weights(weights: Mapping[str, Tensor]) -> str:
    """Return a digest of names and values."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        digest.update(name.encode())
        values = weights[name].detach().cpu().contiguous().view(-1)
        digest.update(values.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _across_phases(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return phase 1's weights under the names of the other phase."""
    if any(name.startswith(PHASE_1_PREFIX) for name in weights):
        return {
            name.removeprefix(PHASE_1_PREFIX): value
            for name, value in weights.items()
            if name.startswith(PHASE_1_PREFIX)
        }
    return {PHASE_1_PREFIX + name: value for name, value in weights.items()}


def _read_folder(path: Path) -> dict[str, Tensor]:
    if (path / MODEL_FILE).exists():
        verify_model(path)
        return _check_phase(path, _read_safetensors(path / MODEL_FILE))
    is_step = (path / INDEX_FILE).exists()
    step = path if is_step else named_by(path, BEST) or find_resumable(path).folder
    if step is None:
        raise RequestError(
            str(path), found="neither weights nor a checkpoint", expected="a run or a step folder",
            hint="Give the folder that `scanmill train --out` wrote.",
        )  # fmt: skip
    verify_files(step)
    return _check_phase(step, read_tensors(step, MODEL_PREFIX))


def _check_phase(path: Path, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Refuse our own phase 2 that lost its refinement net: it would pass for phase 1.

    Published files have one prefix in both phases, so they may lack it.
    """
    is_second = any(name.startswith(PHASE_1_PREFIX) for name in weights)
    if is_second and not any(name.startswith(_REFINEMENT_PREFIX) for name in weights):
        raise InputError(
            str(path), found=f"weights of phase 2 without {_REFINEMENT_PREFIX}*",
            expected="all nets of phase 2, or those of phase 1 under their own names",
            hint="Use another checkpoint of that training.",
        )  # fmt: skip
    return weights


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return _check_tensors(path, load_file(path))
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise InputError(
            str(path), found=shorten_text(str(error)), expected="a whole safetensors file",
            hint="Copy the file again, or give another checkpoint.",
        ) from error  # fmt: skip


def _read_published(path: Path) -> dict[str, Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except PICKLE_FAILURES as error:
        raise InputError(
            str(path), found="more than weights, or no checkpoint at all",
            expected="a PyTorch file that holds tensors by name and nothing that runs",
            hint="Give a published 2K2K checkpoint, or convert it where you trust it.",
        ) from error  # fmt: skip
    weights = content.get(PUBLISHED_KEY, content) if isinstance(content, dict) else content
    return from_published(_check_tensors(path, weights))


def _check_tensors(path: Path, weights: object) -> dict[str, Tensor]:
    """Return tensors by name; raises InputError for anything else."""
    if not isinstance(weights, dict):
        raise _no_weights(path, f"a {type(weights).__name__}")
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise _no_weights(path, f"{shorten(name)}, a {type(value).__name__}")
        if value.layout is not torch.strided or value.is_quantized or value.is_meta:
            raise _no_weights(path, f"{shorten(name)}, sparse, quantised or without values")
    return weights


def _no_weights(path: Path, found: str) -> InputError:
    return InputError(
        str(path), found=found, expected="tensors by name",
        hint="Give a published 2K2K checkpoint, or weights that scanmill wrote.",
    )  # fmt: skip
