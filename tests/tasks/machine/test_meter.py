import time

import pytest

from schemas.worker_use import GpuUse, WorkerUse, sum_uses
from tasks.machine.meter import MIB, Meter, max_resident, read_gpus, resident

TABLE = """0, NVIDIA H100 80GB HBM3, 97, 1234
1, NVIDIA H100 80GB HBM3, [N/A], 0
"""


def test_busy_process_takes_processor_time() -> None:
    meter, end_s = Meter(), time.process_time() + 0.05
    while time.process_time() < end_s:
        pass
    use = meter.read()
    assert 0.05 <= use.cpu_seconds <= use.seconds + 1
    assert use.jobs == 1


def test_peak_of_memory_stays_when_it_is_given_back() -> None:
    before = resident()
    block = b"x" * (256 * MIB)
    del block
    assert max_resident() >= before + 250 * MIB
    assert resident() < before + 200 * MIB


def test_table_of_nvidia_smi_is_read_unknown_as_zero() -> None:
    name = "NVIDIA H100 80GB HBM3"
    assert read_gpus(TABLE) == (
        GpuUse(index=0, name=name, max_utilization=97, max_memory=1234 * MIB),
        GpuUse(index=1, name=name, max_utilization=0, max_memory=0),
    )


@pytest.mark.parametrize("said", ["", "No devices were found\n", "a, b\n"])
def test_what_is_no_table_gives_no_gpu(said: str) -> None:
    assert read_gpus(said) == ()


def test_uses_of_one_process_are_added_and_peaks_kept() -> None:
    def used(pid: int, seconds: float, memory: int, percent: int) -> WorkerUse:
        gpu = GpuUse(index=0, name="g", max_utilization=percent, max_memory=memory)
        return WorkerUse(
            host="here", pid=pid, jobs=1, seconds=seconds, cpu_seconds=2 * seconds,
            max_memory=memory, gpus=(gpu,),
        )  # fmt: skip

    first, second = sum_uses([used(1, 2, 10, 50), used(2, 1, 5, 9), used(1, 3, 20, 40)])
    assert (first.jobs, first.seconds, first.cpu_seconds, first.max_memory) == (2, 5, 10, 20)
    assert first.gpus == (GpuUse(index=0, name="g", max_utilization=50, max_memory=20),)
    assert second.pid == 2
