"""How the OpenEXR columns of samples are compressed: the table of the setting `exr_compression`."""

from dataclasses import dataclass
from typing import Literal

ExrCompression = Literal["zip", "fast_zip", "htj2k"]


@dataclass(frozen=True, slots=True)
class ExrCodec:
    """One row of the table.

    label: in the codec of a column's metadata. stored: the compression in the file's header.
    needs: which readers are too old; empty where none is.
    """

    label: str
    stored: int
    needs: str = ""


EXR_CODECS: dict[ExrCompression, ExrCodec] = {
    "zip": ExrCodec("ZIP", 3),
    "fast_zip": ExrCodec("ZIP", 3),
    "htj2k": ExrCodec(
        "HTJ2K256", 10, needs="OpenEXR 3.4 or newer; other readers of depth and normals may fail"
    ),
}
"""stored: compression_t of OpenEXR's file layout (openexr.com, "Predefined Attribute Types")."""
