"""torchrun that ends with the program that started it: `python -m training.launcher ...`.

Takes what `python -m torch.distributed.run` takes. When the starting program is gone, it is asked
to end and ends its ranks; when it is killed itself, its ranks are. Ends with 1, and says in one
line which rank was the first to fail and how.
"""

import signal
import sys

from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main as torchrun

from schemas.parent_death_signal import become_parent, end_with_parent


def main() -> int:
    """Start the ranks and wait for them; returns the exit code."""
    end_with_parent(signal.SIGTERM)
    become_parent()
    try:
        torchrun(sys.argv[1:])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        how = failure.signal_name() if failure.exitcode < 0 else f"exit code {failure.exitcode}"
        print(f"rank {rank} failed first: {how}", flush=True)  # noqa: T201 - a program's last word
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
