"""DensePose charts of a scan's own faces: a NumPy file beside the scan, one row a face.

Seven columns of 16-bit whole numbers: part 1..24, then u, v of the face's three corners, where
65535 is the end of the part's chart. Rows are in the order of the faces in the mesh file.
`scanmill synth` writes such files; nobody else does, so a scan without one is the usual case.
"""

import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt16

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.scan import CHART_ROW, DENSEPOSE_PARTS, Charts
from schemas.size_limits import MAX_MESH_BYTES, check_array_size

COLUMNS = 7


def read_charts(path: Path, *, face_count: int) -> Charts:
    """Read the charts of a mesh.

    Raises InputError when the file is no such array, or is not that of a mesh of so many faces.
    """
    rows = _read_rows(path, read_whole(path, MAX_MESH_BYTES))
    if len(rows) != face_count:
        raise _refuse(path, f"charts of {len(rows)} faces", f"of the mesh's {face_count}")
    parts = rows[:, 0]
    if parts.min() < 1 or parts.max() > DENSEPOSE_PARTS:
        raise _refuse(path, f"parts from {parts.min()} to {parts.max()}", "parts 1 to 24")
    return Charts.from_rows(rows)


def _read_rows(path: Path, data: bytes) -> UInt16[np.ndarray, "F 7"]:
    """Take the rows out of an .npy file; its header can't ask for more than the file holds."""
    check_array_size(io.BytesIO(data), str(path), len(data))
    try:
        rows: UInt16[np.ndarray, "F 7"] = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _refuse(path, f"no NumPy file ({error!s:.80})", "an .npy file") from error
    is_ours = rows.dtype == CHART_ROW and rows.flags.c_contiguous
    if not is_ours or rows.ndim != 2 or rows.shape[1] != COLUMNS:  # noqa: PLR2004 - rows and columns
        found = f"{rows.dtype} of shape {rows.shape}"
        raise _refuse(path, found, f"{CHART_ROW} of shape (faces, {COLUMNS})")
    return rows


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Make it again with scanmill synth, or take it away: then IUV is unknown.",
    )  # fmt: skip
