"""How a flow ends when it went as it should and yet not all that was asked is done."""

from typing import TypeVar

from pydantic import BaseModel

from flows.summary import RunSummary

S = TypeVar("S", bound=RunSummary)


class UnfinishedWork(Exception):  # noqa: N818 - no error of the run: some of its work failed
    """Some work failed and is listed in the answer; makes the flow run count as failed."""

    def __init__(self, sentence: str, answer: BaseModel) -> None:
        """Keep the answer for whoever lists what failed."""
        super().__init__(sentence)
        self.answer = answer

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by sentence and answer."""
        return UnfinishedWork, (str(self), self.answer)


def judge(summary: S) -> S:
    """Return a summary; raises UnfinishedWork with it when not all that was asked is done."""
    if not summary.is_done:
        raise UnfinishedWork(summary.sentence, summary)
    return summary
