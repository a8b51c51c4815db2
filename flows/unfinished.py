"""How a flow ends when it went as it should and yet not all that was asked is done."""

from pydantic import BaseModel


class UnfinishedWork(Exception):  # noqa: N818 - no error of the run: some of its work failed
    """Some work failed and is listed in the answer; makes the flow run count as failed."""

    def __init__(self, sentence: str, answer: BaseModel) -> None:
        """Keep the answer for whoever lists what failed."""
        super().__init__(sentence)
        self.answer = answer

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by sentence and answer."""
        return UnfinishedWork, (str(self), self.answer)
