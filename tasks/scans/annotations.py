"""The joints of a scan, in whichever of the published formats they come."""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from tasks.scans.joints import read_joint3d
from tasks.scans.openpose import FILE_NAME, read_openpose3d

READERS = {FILE_NAME: read_openpose3d}
"""By file name; every other file is a Joint3D annotation."""


def read_annotation(path: Path) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"]]:
    """Read joints as COCO-WholeBody positions (file coordinates) and which of them count.

    Raises InputError when the file is missing, broken, or not what its name says.
    """
    return READERS.get(path.name, read_joint3d)(path)
