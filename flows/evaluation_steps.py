"""Reconstruct and evaluate as the last step of longer flows."""

from flows.evaluate import evaluate
from flows.progress import say
from flows.summary import UnfinishedWork
from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import EvaluateAnswer
from tasks.evaluation.evaluation_summary import EvaluationSummary, sum_up_answer, with_split


def evaluate_trained(request: EvaluateRequest) -> EvaluationSummary:
    """Evaluate on the first split that has samples; samples that fail are said, and counted.

    Raises what the flow evaluate raises but UnfinishedWork.
    """
    asked = with_split(request)
    if asked.split != ("test",):
        say(f"evaluate: no people of split test; those of split {asked.split[0]} are taken")
    try:
        answer = evaluate(asked)
    except UnfinishedWork as unfinished:
        if not isinstance(unfinished.answer, EvaluateAnswer):
            raise
        say(f"evaluate: {unfinished}")
        answer = unfinished.answer
    summary = sum_up_answer(asked, answer)
    for line in summary.lines:
        say(f"evaluate: {line}")
    return summary
