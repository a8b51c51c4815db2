"""The flow `evaluate`: a mesh against a scan, or checkpoints on the samples of a data set.

OUT/evaluation.json  figures with all that they depend on     beside it: tables (Markdown, CSV, TeX)
"""

from pathlib import Path

from flows.progress import say
from flows.request_flow import request_flow
from schemas.evaluate_request import EvaluateRequest
from tasks.evaluation.answers import EvaluateAnswer
from tasks.evaluation.mesh_files import write_mesh_result
from tasks.evaluation.task import evaluate_mesh_task


@request_flow(EvaluateRequest, name="evaluate", run_name="evaluate to {out}")
def evaluate(request: EvaluateRequest) -> EvaluateAnswer:
    """Measure, and write figures and tables; raises InputError for a file that can't be read."""
    return _evaluate_mesh(request)


def _evaluate_mesh(request: EvaluateRequest) -> EvaluateAnswer:
    result = evaluate_mesh_task(
        Path(str(request.mesh)), Path(str(request.truth)), request.protocol.protocol,
        request.cm_per_unit, say,
    )  # fmt: skip
    files = write_mesh_result(Path(request.out), result)
    return EvaluateAnswer(files=tuple(map(str, files)), mesh=result)
