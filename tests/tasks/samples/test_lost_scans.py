"""A shard without a scan that stopped its worker: the rest is rendered, the reason kept."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from schemas.errors import MachineError
from tests.tasks.data_sets import plan_jobs, render_jobs
from tests.tasks.scan_folders import write_scan

HUNG = MachineError("RP/b", found="it took more than 8 s", expected="an end", hint="Look.")
ITEMS = ("rp_a_posed_001", "rp_b_posed_001")


def test_rest_of_the_shard_is_rendered_and_the_reason_kept(
    tmp_path: Path, painter: ProcessPoolExecutor
) -> None:
    for seed, item in enumerate(ITEMS):
        write_scan(tmp_path / "data", item, seed=seed)
    (job,) = plan_jobs(tmp_path / "out", tmp_path / "data", scans_per_shard=2)
    rest = job.without(f"RP/{ITEMS[1]}", HUNG, "draw")
    assert rest is not None
    assert rest.without(f"RP/{ITEMS[0]}", HUNG, "draw") is None
    assert job.without("RP/nobody", HUNG, "draw") is None
    (outcome,) = painter.submit(render_jobs, [rest]).result()
    assert (outcome.state, outcome.rows) == ("failed", 2)
    assert {(one.stage, one.message) for one in outcome.failures} == {("draw", str(HUNG))}
    assert [one.sample_id for one in outcome.failures] == [
        f"RP/{ITEMS[1]}/0", f"RP/{ITEMS[1]}/10",
    ]  # fmt: skip
