"""The Prefect tasks of this room. The work is in mesh_evaluation.py and data_evaluation.py."""

from pathlib import Path

from schemas.evaluation import ItemResult, MeshResult, Protocol
from tasks.evaluation.data_evaluation import ItemJob, measure_item, prepare_item
from tasks.evaluation.mesh_evaluation import Say, evaluate_mesh
from tasks.task import unit_task


@unit_task("evaluate-mesh", of="{mesh}")
def evaluate_mesh_task(
    mesh: Path, scan: Path, protocol: Protocol, cm_per_unit: float | None, say: Say
) -> MeshResult:
    """Measure one mesh against its scan."""
    return evaluate_mesh(mesh, scan, protocol, cm_per_unit=cm_per_unit, say=say)


@unit_task("prepare-item", of="{job.item.sample_id}")
def prepare_item_task(job: ItemJob) -> ItemResult | None:
    """Write what the nets read; returns why the sample fails, None where it is ready."""
    return prepare_item(job)


@unit_task("evaluate-item", of="{job.item.sample_id}")
def evaluate_item_task(job: ItemJob, refusal: str) -> ItemResult:
    """Measure what the nets predicted of a sample."""
    return measure_item(job, refusal)
