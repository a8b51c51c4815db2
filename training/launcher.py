"""torchrun that ends with the program that started it: `python -m training.launcher ...`.

Takes what `python -m torch.distributed.run` takes. When the starting program is gone, it is asked
to end and ends its ranks; when it is killed itself, its ranks are.
"""

import signal
import sys

from torch.distributed.run import main as torchrun

from training.lifeline import become_parent, end_with_parent


def main() -> None:
    """Start the ranks and wait for them."""
    end_with_parent(signal.SIGTERM)
    become_parent()
    torchrun(sys.argv[1:])


if __name__ == "__main__":
    main()
