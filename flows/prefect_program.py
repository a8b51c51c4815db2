"""Prefect's command, ended with the program that started it: `python -m flows.prefect_program`.

When `scanmill serve` is killed, the kernel interrupts its server and its worker, and the worker
ends its runs. Takes what `prefect` takes.
"""

import runpy
import signal

from schemas.parent_death_signal import end_with_parent

if __name__ == "__main__":
    end_with_parent(signal.SIGINT)
    runpy.run_module("prefect", run_name="__main__", alter_sys=True)
