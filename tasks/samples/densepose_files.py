"""DensePose images that somebody made of our views: where they are, and what they may hold.

    DIR/<dataset>/<item>/<yaw>.png      other views: <yaw>/pitch<deg>.png, <yaw>/orthographic.png

that is the sample's id, without `/hdnet`. One data set has one camera, so one folder serves one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from schemas.camera import CAMERA_MODELS, STANDARD_CAMERA
from schemas.errors import InputError
from schemas.file_status import is_readable_file
from schemas.scan import InputFile, ScanRef
from schemas.views import View
from tasks.scans.files import digest_files
from tasks.video.images import read_iuv

MIN_INSIDE = 0.5
"""Share of the image's person that must lie on ours: else it shows another view or person."""


@dataclass(frozen=True, slots=True)
class DenseposeFiles:
    """A folder of DensePose images."""

    root: Path

    def place(self, ref: ScanRef, view: View) -> Path:
        """Return where the image of a view belongs, whether it exists or not."""
        if CAMERA_MODELS[view.camera].is_standard:
            view = replace(view, camera=STANDARD_CAMERA)
        return self.root / f"{view.sample_id(ref.scan_id)}.png"

    def list_inputs(self, ref: ScanRef, views: Iterable[View]) -> tuple[InputFile, ...]:
        """Digest the images of a scan's views; what is absent is kept as absent."""
        found = digest_files((self.place(ref, view) for view in views), self.root)
        return tuple(one.model_copy(update={"root": "densepose"}) for one in found)

    def read(
        self, ref: ScanRef, view: View, mask: Bool[np.ndarray, "H W"]
    ) -> UInt8[np.ndarray, "H W 3"] | None:
        """Read part, U and V of a view; None where there is no image.

        mask: the view's own person. Raises InputError when the image is of another size, is no
        DensePose image, or shows a person elsewhere.
        """
        path = self.place(ref, view)
        if not is_readable_file(path):
            return None
        iuv = read_iuv(path).iuv
        if iuv.shape[:2] != mask.shape:
            found, expected = (
                f"{width} x {height} pixels" for height, width in (iuv.shape[:2], mask.shape)
            )
            raise _refuse(path, found, expected)
        person = iuv[..., 0] > 0
        inside = float(mask[person].mean())
        if inside < MIN_INSIDE:
            found = f"a person of whom {inside:.0%} lie on the one that was rendered"
            raise _refuse(path, found, f"{MIN_INSIDE:.0%} or more")
        return iuv


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Make the image from this view's `image`, or take it away: IUV is null then.",
    )  # fmt: skip
