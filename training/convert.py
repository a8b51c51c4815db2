"""Convert checkpoints: published files to this project's safetensors, and back.

python -m training.convert published.pth --to model.safetensors
python -m training.convert RUN --to published.pth
python -m training.convert model.ckpt-1710000 --to model.safetensors
python -m training.convert RUN --to model.ckpt-5000.index
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from schemas.atomic_files import atomic_file
from schemas.errors import InputError, RequestError, ScanmillError
from training.hdnet.hourglass import build_hourglass
from training.hdnet.released_names import write_released
from training.hdnet.tensorflow_bundle import INDEX_SUFFIX
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.published_names import PHASE_1_PREFIX, to_published
from training.weights import PUBLISHED_KEY, read_weights

Build = Callable[[float], nn.Module]
"""Makes the nets of a model by their width."""

MIN_CHANNELS = 2
"""Of a narrow layer: training/twok2k/sizes.py. Of the hourglass 1."""

EXIT_DONE, EXIT_FAILED, EXIT_REQUEST = 0, 1, 2
SAFETENSORS = ".safetensors"
PUBLISHED = (".pth", ".pt", ".tar")


def main(arguments: Sequence[str] | None = None) -> int:
    """Convert one checkpoint, or say in one line why not."""
    parser = argparse.ArgumentParser(
        prog="training.convert", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("source", type=Path, help="run, step folder, safetensors, published file")
    parser.add_argument("--to", type=Path, required=True, help="file to write; its ending decides")
    given = parser.parse_args(arguments)
    try:
        convert(given.source, given.to)
    except ScanmillError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - a program's last word
        return EXIT_REQUEST if isinstance(error, RequestError) else EXIT_FAILED
    return EXIT_DONE


def convert(source: Path, target: Path) -> None:
    """Write the weights of source in the form that target's ending names, whole or not at all."""
    if target.suffix not in (SAFETENSORS, *PUBLISHED, INDEX_SUFFIX):
        endings = (SAFETENSORS, *PUBLISHED, INDEX_SUFFIX)
        raise RequestError(
            str(target), found=f"the ending {target.suffix or 'none'}",
            expected=", ".join(endings),
            hint="Name a safetensors file for use here; for the published code a .pth file of "
            "2K2K, or the .index file of HDNet's TensorFlow checkpoint.",
        )  # fmt: skip
    weights = _own_names(read_weights(source))
    _check_complete(source, weights, allowed=_MODELS[target.suffix])
    if target.suffix == INDEX_SUFFIX:
        write_released(target.with_suffix(""), weights)
        return
    with atomic_file(target) as file:
        if target.suffix == SAFETENSORS:
            file.write(save(weights))
        else:
            torch.save({PUBLISHED_KEY: to_published(weights)}, file)


_BOTH_PHASES: tuple[Build, ...] = (
    lambda width: build_depth_nets(width=width),
    lambda width: build_normal_nets(width=width),
)
_HOURGLASSES: tuple[Build, ...] = (
    lambda width: build_hourglass(3, 3, width=width),
    lambda width: build_hourglass(9, 1, width=width),
)
_COARSE: tuple[Build, ...] = (lambda width: build_normal_nets(nets="coarse", width=width),)
_MODELS: dict[str, tuple[Build, ...]] = {
    SAFETENSORS: (*_BOTH_PHASES, *_COARSE, *_HOURGLASSES), INDEX_SUFFIX: _HOURGLASSES,
    **dict.fromkeys(PUBLISHED, _BOTH_PHASES),
}  # fmt: skip
"""Which models each form is for, made by their width."""


def _check_complete(
    source: Path, weights: Mapping[str, Tensor], *, allowed: Sequence[Build]
) -> None:
    """Refuse weights that are not exactly those of one model of one width.

    Raises InputError naming one that is missing, left over or of another shape.
    """
    with torch.device("meta"):
        known = {build: build(1.0).state_dict() for build in allowed}
    nearest = max(known, key=lambda build: _likeness(known[build], weights))
    wrong = sorted(known[nearest].keys() ^ weights.keys())
    if wrong:
        what = "lacks" if wrong[0] in known[nearest] else "has too much"
        raise _incomplete(source, f"{what} {wrong[0]} and {len(wrong) - 1} more")
    with torch.device("meta"):
        whole = nearest(_find_width(source, nearest, weights)).state_dict()
    unlike = [name for name, value in whole.items() if value.shape != weights[name].shape]
    if unlike:
        raise _incomplete(source, f"another shape of {unlike[0]} and {len(unlike) - 1} more")


def _likeness(model: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> tuple[int, bool]:
    """Say how near a model is: by names, then by the channels that its first weight takes."""
    names = len(model.keys() & weights.keys()) - len(model.keys() - weights.keys())
    first = next(iter(model))
    same = first in weights and weights[first].shape[1:2] == model[first].shape[1:2]
    return names, same


def _find_width(source: Path, build: Build, weights: Mapping[str, Tensor]) -> float:
    """Return a width that gives every layer its channels; raises InputError where none does.

    An encoder's layer of n channels at width 1 has c channels at widths from (c - 0.5) / n to
    (c + 0.5) / n; very narrow ones have MIN_CHANNELS. The other layers follow from the encoders.
    """
    with torch.device("meta"):
        one, two = build(1.0).state_dict(), build(2.0).state_dict()
    channels: list[tuple[int, int, str]] = [
        (one[name].shape[0], weights[name].shape[0], name)
        for name in one
        if "encoder" in name and one[name].ndim and one[name].shape[0] != two[name].shape[0]
    ]
    low, named = max(
        (((c - 0.5) / n if c > MIN_CHANNELS else 0.0), name) for n, c, name in channels
    )
    high = min((c + 0.5) / n for n, c, _ in channels)
    if low > high:
        raise _incomplete(source, f"layers of different widths, {named} the widest")
    return float(low + high) / 2


def _incomplete(source: Path, found: str) -> InputError:
    return InputError(
        str(source), found=found,
        expected="all weights of phase 1 or of phase 2, or of a net of HDNet, of one width",
        hint="Convert a run, a step folder or a file that holds the whole model.",
    )  # fmt: skip


def _own_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights as their own phase does: without prefix for phase 1."""
    is_first = all(name.startswith(PHASE_1_PREFIX) for name in weights)
    prefix = PHASE_1_PREFIX if is_first else ""
    return {name.removeprefix(prefix): value.contiguous() for name, value in weights.items()}


if __name__ == "__main__":
    sys.exit(main())
