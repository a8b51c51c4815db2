"""The SMPL-X body model: parameters in, the body's vertices and joints out.

The one place of the project that imports smplx, and with it torch, and only when a model is
opened: both are slow to load, and smplx's licence is for non-commercial research. The model file
is licensed by itself, comes from its publisher and is never part of this project.
"""

import hashlib
import io
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from schemas.errors import DependencyError, InputError, RequestError
from schemas.file_status import is_readable_file
from schemas.fits import BETA_COUNT, EXPRESSION_COUNT, HAND_COMPONENT_COUNT, FittedBody, SmplxFit
from schemas.regular_files import open_regular_file
from schemas.size_limits import check_archive_size

MODEL_NAME = "SMPLX_MALE.npz"
PLACES = ("", "smplx", "models/smplx")
"""Folders of the model below the one that is given; the smplx package's own layout is the second.
"""

ARRAYS = (
    "v_template", "f", "kintree_table", "J_regressor", "weights", "shapedirs", "posedirs",
    "hands_componentsl", "hands_componentsr", "hands_meanl", "hands_meanr",
    "lmk_faces_idx", "lmk_bary_coords",
)  # fmt: skip
"""All that is read of a model file. Source: docs/keypoints.md, "SMPL-X model file"."""

_NOT_POSES = frozenset({"scale", "translation"})


@dataclass(frozen=True, slots=True)
class BodyModel:
    """An opened model. network: the smplx module, in double precision."""

    network: Any
    torch: Any

    def make_body(self, fit: SmplxFit) -> FittedBody:
        """Pose the model and move it to file coordinates: points * scale + translation."""
        torch = self.torch
        poses = {
            field.name: torch.from_numpy(getattr(fit, field.name).copy())[None]
            for field in fields(fit)
            if field.name not in _NOT_POSES
        }
        self.network.use_pca = fit.left_hand_pose.size == HAND_COMPONENT_COUNT
        with _one_thread(torch), torch.no_grad():
            posed = self.network(**poses, return_verts=True)
        return FittedBody(
            vertices=posed.vertices[0].numpy() * fit.scale + fit.translation,
            faces=np.asarray(self.network.faces, np.int32),
            joints=posed.joints[0].numpy() * fit.scale + fit.translation,
        )


def find_model(folder: Path) -> Path:
    """Return the model file below a folder; raises RequestError when there is none."""
    tried = [folder / place / MODEL_NAME for place in PLACES]
    found = next((path for path in tried if is_readable_file(path)), None)
    if found is None:
        raise RequestError(
            "--smplx-models", found=f"no {MODEL_NAME} in {folder}",
            expected=f"a folder that holds {MODEL_NAME} or smplx/{MODEL_NAME}",
            hint="Get SMPL-X from its publisher, or leave the option out: then missing joints "
            "stay unknown and fits are not checked.",
        )  # fmt: skip
    return found


def digest_model(folder: Path) -> str:
    """Return the sha256 of the model file below a folder, hex: what the settings hold of it."""
    with open_regular_file(find_model(folder)) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def open_body_model(folder: Path, sha256: str) -> BodyModel:
    """Open the model, once a process.

    Raises RequestError when there is none or it is another one than the data set was begun with,
    InputError when it can't be read, DependencyError when smplx is not installed.
    """
    path = find_model(folder)
    found = digest_model(folder)
    if found != sha256:
        raise RequestError(
            "--smplx-models", found=f"{path} with sha256 {found[:12]}...",
            expected=f"the model that the data set was begun with, {sha256[:12]}...",
            hint="Give the folder of the first run, or render into a new data set.",
        )  # fmt: skip
    smplx, torch = _import_smplx()
    with tempfile.TemporaryDirectory(prefix="scanmill-smplx-") as private:
        copy = Path(private) / MODEL_NAME
        np.savez(copy, **_read_arrays(path))  # type: ignore[arg-type] # numpy takes names for its flags
        # smplx prints and warns about what it takes for defaults; nothing of it is about the fit.
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network = smplx.SMPLX(
                str(copy), gender="male", use_pca=True, num_pca_comps=HAND_COMPONENT_COUNT,
                num_betas=BETA_COUNT, num_expression_coeffs=EXPRESSION_COUNT, dtype=torch.float64,
            )  # fmt: skip
    return BodyModel(network, torch)


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what the model needs, numbers only: smplx itself would unpickle whatever is in there."""
    try:
        with open_regular_file(path) as file, np.load(file, allow_pickle=False) as stored:
            check_archive_size(stored.zip, str(path))
            return {name: stored[name] for name in ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, AttributeError) as error:
        raise InputError(
            str(path), found=f"no SMPL-X model ({error!s:.80})",
            expected=f"an archive of number arrays: {', '.join(ARRAYS)}",
            hint="Fetch the model again from its publisher.",
        ) from error  # fmt: skip


def _import_smplx() -> tuple[Any, Any]:
    try:
        import smplx  # noqa: PLC0415 - an optional extra, see the top
        import torch  # noqa: PLC0415 - comes with it
    except ImportError as error:
        raise DependencyError(
            "smplx", found=str(error), expected="the packages smplx and torch",
            hint="Install them, or leave --smplx-models out.",
        ) from error  # fmt: skip
    return smplx, torch


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:  # noqa: ANN401 - a module
    """Add up in one order, whatever the machine's cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
