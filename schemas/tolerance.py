"""How many rejects a run accepts and still counts as done: `--accept-rejects N|P%`."""

import math
import re

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import RequestError

_COUNT = re.compile(r"^\d{1,9}$")
_SHARE = re.compile(r"^(\d{1,3}(?:\.\d+)?)%$")
WHOLE_PERCENT = 100.0


class Tolerance(BaseModel):
    """A number of samples, or a share of all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=0, ge=0, description="samples")
    percent: float | None = Field(default=None, ge=0, le=100, description="of all samples")

    @staticmethod
    def parse(text: str) -> "Tolerance":
        """Read `5` or `2%`; raises RequestError."""
        share = _SHARE.match(text.strip())
        if share is not None and float(share[1]) <= WHOLE_PERCENT:
            return Tolerance(percent=float(share[1]))
        if _COUNT.match(text.strip()):
            return Tolerance(count=int(text))
        raise RequestError(
            "--accept-rejects", found=repr(text),
            expected="a number of samples (5) or a share (2%)",
            hint="Write a whole number, or a number from 0 to 100 and a percent sign.",
        )  # fmt: skip

    def accepts(self, rejected: int, total: int) -> bool:
        """Return whether so many rejected samples of a total are few enough."""
        if self.percent is None:
            return rejected <= self.count
        return rejected <= math.floor(total * self.percent / WHOLE_PERCENT)
