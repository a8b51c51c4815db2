"""From surfaces to a mesh: sheets, which are always there, or screened Poisson."""

from schemas.reconstruct_request import Meshing
from tasks.reconstruction.clouds import Cloud
from tasks.reconstruction.poisson import is_installed, reconstruct_poisson
from tasks.reconstruction.sheets import ColoredMesh, make_sheets
from tasks.reconstruction.surfaces import Surfaces


def choose_meshing(asked: Meshing) -> Meshing:
    """Return "sheets" or "poisson"; auto: Poisson where its library is installed."""
    if asked == "auto":
        return "poisson" if is_installed() else "sheets"
    return asked


def make_mesh(surfaces: Surfaces, cloud: Cloud, scale: float, meshing: Meshing) -> ColoredMesh:
    """Mesh a person. cloud: with the side layers.

    Raises DependencyError when Poisson is asked for and not installed.
    """
    if choose_meshing(meshing) == "sheets":
        return make_sheets(surfaces, scale)
    return reconstruct_poisson(cloud, surfaces.front.shape[0])
