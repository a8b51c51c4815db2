"""The files of a mesh's evaluation: figures with all that they depend on, and tables."""

from pathlib import Path

from schemas.atomic_files import write_atomically
from schemas.evaluation import MeshResult
from tasks.evaluation.tables import Column, single, write_tables

RESULT = "evaluation.json"
TABLE = "evaluation"


def write_mesh_result(folder: Path, result: MeshResult) -> tuple[Path, ...]:
    """Write evaluation.json and the tables; returns their paths."""
    write_atomically(folder / RESULT, result.model_dump_json(indent=1) + "\n")
    title = Path(result.mesh.path).name
    column = Column(title, {name: single(value) for name, value in result.measures.items()})
    return (folder / RESULT, *write_tables(folder, TABLE, [column]))
