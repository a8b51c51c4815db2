"""The files that every mesh gets, whichever method made it: three formats, a strip, a page."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from schemas.atomic_files import write_atomically
from schemas.codecs import encode_png
from schemas.errors import InputError
from tasks.reconstruction.mesh_files import format_glb, format_obj, format_ply
from tasks.reconstruction.sheets import ColoredMesh
from tasks.reconstruction.turntable import draw_turntable
from tasks.reconstruction.viewer import make_page


def write_mesh(folder: Path, mesh: ColoredMesh) -> None:
    """Write mesh.ply, mesh.obj and mesh.glb; raises InputError for a mesh without a face."""
    if not len(mesh.faces):
        raise InputError(
            "the prediction", found="no surface of three neighbouring pixels",
            expected="a person", hint="Train longer, or give a photograph as in training.",
        )  # fmt: skip
    for name, format_mesh in (("ply", format_ply), ("obj", format_obj), ("glb", format_glb)):
        write_atomically(folder / f"mesh.{name}", format_mesh(mesh))


def write_views(
    folder: Path, name: str, mesh: ColoredMesh, overview: UInt8[np.ndarray, "H W 3"], facts: str
) -> None:
    """Write turntable.png, overview.png and view.html. facts: a line about the reconstruction."""
    strip = draw_turntable(mesh)
    write_atomically(folder / "turntable.png", encode_png(strip))
    write_atomically(folder / "overview.png", encode_png(overview))
    page = make_page(name, mesh, {"Turntable": strip, "Maps": overview}, facts)
    write_atomically(folder / "view.html", page)
