"""Convert checkpoints: published files to this project's safetensors, and back.

python -m training.convert published.pth --to model.safetensors
python -m training.convert RUN --to published.pth
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn

from schemas.atomic_files import atomic_file
from schemas.errors import InputError, RequestError, ScanmillError
from training.hdnet.hourglass import build_hourglass
from training.twok2k.person_nets import build_depth_nets, build_normal_nets
from training.twok2k.published_names import PHASE_1_PREFIX, to_published
from training.weights import PUBLISHED_KEY, read_weights

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
    if target.suffix not in (SAFETENSORS, *PUBLISHED):
        raise RequestError(
            str(target), found=f"the ending {target.suffix or 'none'}",
            expected=", ".join((SAFETENSORS, *PUBLISHED)),
            hint="Name a safetensors file for use here, or a .pth file for the published code.",
        )  # fmt: skip
    weights = _own_names(read_weights(source))
    _check_complete(source, weights, is_2k2k=target.suffix != SAFETENSORS)
    with atomic_file(target) as file:
        if target.suffix == SAFETENSORS:
            file.write(save(weights))
        else:
            torch.save({PUBLISHED_KEY: to_published(weights)}, file)


def _check_complete(source: Path, weights: Mapping[str, Tensor], *, is_2k2k: bool) -> None:
    """Refuse weights that are not exactly those of one model; raises InputError naming one."""
    with torch.device("meta"):
        models: list[nn.Module] = [
            build_depth_nets(), build_normal_nets(), *([] if is_2k2k else [
                build_normal_nets(nets="coarse"), build_hourglass(3, 3, width=1)]),
        ]  # fmt: skip
    known = [set(model.state_dict()) for model in models]
    nearest = max(known, key=lambda names: len(names & set(weights)) - len(names - set(weights)))
    wrong = sorted(nearest ^ set(weights))
    if wrong:
        what = "lacks" if wrong[0] in nearest else "has too much"
        raise InputError(
            str(source), found=f"{what} {wrong[0]} and {len(wrong) - 1} more",
            expected="all weights of phase 1 or of phase 2",
            hint="Convert a run, a step folder or a file that holds the whole model.",
        )  # fmt: skip


def _own_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the weights as their own phase does: without prefix for phase 1."""
    is_first = all(name.startswith(PHASE_1_PREFIX) for name in weights)
    prefix = PHASE_1_PREFIX if is_first else ""
    return {name.removeprefix(prefix): value.contiguous() for name, value in weights.items()}


if __name__ == "__main__":
    sys.exit(main())
