"""The program that predicts: `python -m training.inference.predict --request FILE`.

FILE holds a `schemas.prediction.PredictionRequest` as JSON. One line for each photograph that is
done or refused; exit codes: 0 every photograph has its line, 1 the machine or the weights failed,
2 the request is wrong. A line that begins with "error:" is final.
"""

import argparse
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import torch
from pydantic import ValidationError

from schemas.errors import InputError, MachineError, RequestError, ScanmillError
from schemas.file_status import explain_os_error
from schemas.parent_death_signal import end_with_parent
from schemas.prediction import (
    MEMORY,
    PREDICTED,
    REFUSED,
    STAGE,
    PredictionRequest,
    read_arrays,
    write_arrays,
)
from schemas.regular_files import read_text
from schemas.wording import shorten_text
from training.inference.person_predictor import PersonPredictor
from training.inference.surface_predictor import SurfacePredictor
from training.loop.distributed import choose_device

EXIT_DONE, EXIT_FAILED, EXIT_REQUEST = 0, 1, 2
KIB_PER_MIB = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict for all photographs, or say in one line why not."""
    parser = argparse.ArgumentParser(
        prog="training.inference.predict", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--request", required=True, type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    end_with_parent(signal.SIGKILL)
    try:
        predict_all(_read_request(given.request))
    except ScanmillError as error:
        return _refuse(error)
    except OSError as error:
        return _refuse(explain_os_error(Path(error.filename or "."), error))
    return EXIT_DONE


def predict_all(request: PredictionRequest) -> None:
    """Load the nets once, and predict one photograph after the other."""
    watch = _Stopwatch()
    predictor = open_predictor(request)
    watch("load")
    for job in request.jobs:
        try:
            arrays = predictor.predict(read_arrays(Path(job.input)), watch)
            write_arrays(Path(job.output), arrays)
        except InputError as error:
            _say(f"{REFUSED}{job.name}: {error}")
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            raise MachineError(
                job.name, found=shorten_text(str(error)), expected="memory for this resolution",
                hint="Give a lower --resolution, or a machine with more memory.",
            ) from error  # fmt: skip
        else:
            watch("write")
            _say(f"{PREDICTED}{job.name}")
    _say(f"{MEMORY}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB}")


def is_shortage(error: BaseException) -> bool:
    """Return whether the machine had no room; torch's CPU allocator says so in words alone."""
    named = (MemoryError, torch.OutOfMemoryError)
    return isinstance(error, named) or "allocate memory" in str(error)


def open_predictor(request: PredictionRequest) -> PersonPredictor | SurfacePredictor:
    """Load the nets of a method; raises RequestError for weights that can't serve."""
    device = choose_device(request.device)
    checkpoint = Path(request.checkpoint)
    if request.method == "2k2k":
        return PersonPredictor(checkpoint, device)
    return SurfacePredictor(checkpoint, Path(request.normal_checkpoint or ""), device)


class _Stopwatch:
    """Says how long each stage took. Owns: when the one before ended."""

    def __init__(self) -> None:
        self._since_s = perf_counter()

    def __call__(self, stage: str) -> None:
        now = perf_counter()
        _say(f"{STAGE}{stage} {now - self._since_s:.3f}")
        self._since_s = now


def _read_request(path: Path) -> PredictionRequest:
    try:
        return PredictionRequest.model_validate_json(read_text(path))
    except ValidationError as error:
        raise RequestError(
            str(path), found=shorten_text(str(error)), expected="a request to predict, as JSON",
            hint="Start it with scanmill reconstruct, which writes the request.",
        ) from error  # fmt: skip


def _refuse(error: ScanmillError) -> int:
    word = "failed" if error.kind == "environment" else "error"
    print(f"{word}: {error}", file=sys.stderr, flush=True)  # noqa: T201 - a program's last word
    return EXIT_REQUEST if isinstance(error, RequestError) else EXIT_FAILED


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    sys.exit(main())
