"""The Prefect tasks of this room. The work is in mesh_evaluation.py."""

from pathlib import Path

from schemas.evaluation import MeshResult, Protocol
from tasks.evaluation.mesh_evaluation import Say, evaluate_mesh
from tasks.task import unit_task


@unit_task("evaluate-mesh", of="{mesh}")
def evaluate_mesh_task(
    mesh: Path, scan: Path, protocol: Protocol, cm_per_unit: float | None, say: Say
) -> MeshResult:
    """Measure one mesh against its scan."""
    return evaluate_mesh(mesh, scan, protocol, cm_per_unit=cm_per_unit, say=say)
