"""The networks of mediapipe 0.10.21 (Apache-2.0) as files, run by a small TFLite runtime.

They are read from the package where it is installed, from its wheel, or from a folder; nothing is
downloaded, and a file of another content is refused. Reasons:
docs/decisions/0007-networks-that-find-people.md.
"""

import hashlib
import importlib.util
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from schemas.errors import DependencyError, InputError
from schemas.regular_files import read_whole

PACKAGE, RUNTIME = "mediapipe", "ai_edge_litert"
MAX_NETWORK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """One network: where it is below the package, how large it is, its content."""

    path: str
    bytes: int
    sha256: str


DETECTION = NetworkFile(
    "modules/pose_detection/pose_detection.tflite", 2959046,
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
)  # fmt: skip
LANDMARKS = NetworkFile(
    "modules/pose_landmark/pose_landmark_full.tflite", 6440512,
    "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
)  # fmt: skip
HANDS = NetworkFile(
    "modules/hand_landmark/hand_landmark_full.tflite", 5478917,
    "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
)  # fmt: skip


class Network:
    """One network. Owns: the runtime's interpreter."""

    def __init__(self, data: bytes) -> None:
        """Load a network; raises DependencyError when the runtime is not installed."""
        try:
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise missing("the TFLite runtime ai-edge-litert") from error
        self._runtime = Interpreter(model_content=data, num_threads=1)
        self._runtime.allocate_tensors()
        self._input = self._runtime.get_input_details()[0]["index"]
        outputs = self._runtime.get_output_details()
        self._outputs = [one["index"] for one in sorted(outputs, key=lambda one: one["name"])]

    def __call__(self, image: Float32[np.ndarray, "H W 3"]) -> list[Float32[np.ndarray, "..."]]:
        """Run it on one image; returns its outputs without the first axis, ordered by name."""
        self._runtime.set_tensor(self._input, np.ascontiguousarray(image[None], np.float32))
        self._runtime.invoke()
        return [self._runtime.get_tensor(index)[0].copy() for index in self._outputs]


@cache
def open_network(file: NetworkFile, source: str | None) -> Network:
    """Open a network once a process. source: a wheel or a folder; None: the installed package.

    Raises DependencyError when it is missing, InputError when it is another one.
    """
    data = _read(file, source)
    if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        raise InputError(
            file.path, found="another network", expected=f"that of {PACKAGE} 0.10.21",
            hint=f"Install {PACKAGE}==0.10.21 without its requirements, or give its wheel.",
        )  # fmt: skip
    return Network(data)


def check_installed(source: str | None) -> None:
    """Refuse work that needs the networks where they are missing; raises DependencyError."""
    if importlib.util.find_spec(RUNTIME) is None:
        raise missing("the TFLite runtime ai-edge-litert")
    for file in (DETECTION, LANDMARKS, HANDS):
        _read(file, source)


def missing(what: str) -> DependencyError:
    """Say what is missing to find people with."""
    return DependencyError(
        "finding people in photographs", found=f"{what} is missing",
        expected="--keypoints, or networks that find them",
        hint="Run `make photos`, or: pip install 'scanmill[photos]' && "
        "pip install --no-deps mediapipe==0.10.21",
    )  # fmt: skip


def _read(file: NetworkFile, source: str | None) -> bytes:
    if source is not None and Path(source).is_file():
        return _read_from_wheel(file, Path(source))
    folder = _installed_folder() if source is None else Path(source)
    candidates = (folder / file.path, folder / Path(file.path).name)
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise missing(f"{Path(file.path).name} in {folder}")
    return read_whole(found, MAX_NETWORK_BYTES)


def _read_from_wheel(file: NetworkFile, wheel: Path) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as all_files, all_files.open(f"{PACKAGE}/{file.path}") as one:
            return one.read(file.bytes + 1)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise missing(f"{Path(file.path).name} in {wheel}") from error


def _installed_folder() -> Path:
    """Return the folder of the installed package, which is never imported."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise missing(f"{PACKAGE} 0.10.21")
    return Path(next(iter(found.submodule_search_locations)))
