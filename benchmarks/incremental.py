"""What a run with nothing to do costs on a large data set, and how it finds what changed.

One scan is rendered; its folder and its shard are copied so many times over, each with a plan and a
manifest of its own, as runs write them. Then, each as the command that people and schedules start:

    status                 quick, for the first time (every file is hashed) and again
    render, rerun          nothing to do, the short way of the command line
    the flow render        nothing to do, as a scheduled run does it on a Prefect server of its own
    render                 after one scan is new, one changed and one was removed

    python -m benchmarks.incremental --scans 10000
    python -m benchmarks.incremental --scans 14286        # 100,002 samples
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Manifest
from tasks.dataset.planning import read_plan
from tasks.samples.scan_plan import list_scan_names, plan_scans
from tests.tasks.scan_folders import write_scan

YAWS = "-30:30:10"
RESOLUTION = "64"
ITEM = "rp_box{:05d}_posed_001"
FAILED = 2
"""Exit codes below are answers: done, or something is left."""


def main() -> None:
    """Build the data set, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scans", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="folder to build in, and to use again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scanmill-incremental-") as temporary:
        measure(given.keep or Path(temporary), given.scans)


def measure(folder: Path, scans: int) -> None:
    """Print a table: command, wall seconds, processor seconds, what it said."""
    people, out = folder / "people", folder / "set"
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    if not (out / "dataset.json").exists():
        start = perf_counter()
        build(people, out, scans)
        print(f"built {scans} scans in {perf_counter() - start:.0f} s")
    command = render_command(people, out)
    print(f"{'':34} {'wall s':>7} {'cpu s':>7}")
    timed("status, first look", "status", out)
    timed("status", "status", out)
    timed("status --json", "status", out, "--json")
    timed("render, nothing to do", *command)
    timed("rerun, nothing to do", "rerun", out)
    flow = "import sys; from flows.render import render; from schemas.requests import RenderRequest"
    timed("flow render, as scheduled", *command, runs=("-c", f"{flow}; {FLOW_CALL}"))
    change(people)
    timed("status: 1 changed, 1 removed", "status", out)
    timed("render: 1 new, 1 changed", *command)
    timed("render, nothing to do", *command)


FLOW_CALL = """
from flows.prefect_settings import apply_prefect_defaults
apply_prefect_defaults()
data, out = sys.argv[3], sys.argv[7]
render(RenderRequest(data=data, dataset="RP", out=out, workers=1,
       settings=dict(resolution=64, yaws="-30:30:10")))
"""


def render_command(people: Path, out: Path) -> tuple[str, ...]:
    """Make the words of the run."""
    return ("render", "--data", str(people), "--dataset", "RP", "--out", str(out),
            "--resolution", RESOLUTION, "--yaws", YAWS, "--workers", "1")  # fmt: skip


def build(people: Path, out: Path, scans: int) -> None:
    """Render one scan; link it and its shard, with plan and manifests of their own."""
    write_scan(people, ITEM.format(0))
    run("-m", "flows.cli", *render_command(people, out))
    for number in range(1, scans):
        copy_scan(people, number)
    data = DatasetFolder.at(str(out))
    settings = data.read_description().settings
    found = list_scan_names(people, "RP")
    plan_scans(data, found, settings, splits=None, scans_per_shard=1)
    first = data.read_manifest("shard-00000")
    for shard in read_plan(data)[1:]:
        commit_copy(out, first, shard.shard_id, shard.scans[0].item)


def copy_scan(people: Path, number: int) -> None:
    """Copy the files of the first scan under another scan's names."""
    old, new = ITEM.format(0), ITEM.format(number)
    for path in [*(people / f"obj/RP/{old}_OBJ").rglob("*.*"), people / f"Joint3D/RP/{old}.json"]:
        target = people / str(path.relative_to(people)).replace(old, new)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def commit_copy(out: Path, first: Manifest, shard_id: str, item: str) -> None:
    """Commit the first shard's bytes as those of another scan."""
    text = first.model_dump_json(indent=1).replace(ITEM.format(0), item)
    text = text.replace('"shard-00000"', f'"{shard_id}"')
    (out / f"manifests/samples/{shard_id}.json").write_text(text)
    shutil.copyfile(out / "samples/shard-00000.parquet", out / f"samples/{shard_id}.parquet")


def change(people: Path) -> None:
    """Add a scan, change one, remove one: others each time that the folder is used again."""
    there = sorted((people / "obj/RP").iterdir())
    copy_scan(people, int(there[-1].name[6:11]) + 1)
    mesh = next(there[-2].glob("*.obj"))
    text = mesh.read_text()
    mesh.unlink()
    mesh.write_text(text + "# retouched\n")
    shutil.rmtree(there[-3])


def timed(what: str, *words: object, runs: tuple[str, ...] = ("-m", "flows.cli")) -> None:
    """Run a command; print what it cost and its last line."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    said = run(*runs, *map(str, words))
    wall = perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what:34} {wall:7.2f} {spent:7.2f}  {said}", flush=True)


def run(*words: str) -> str:
    """Run Python to its end; returns the last line that it says, which is cut short."""
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=Path.cwd()
    )
    said = [one for one in f"{done.stderr}\n{done.stdout}".splitlines() if one.strip()]
    if done.returncode >= FAILED:
        raise SystemExit(done.stderr)
    return " | ".join(said[-2:])[:160]


if __name__ == "__main__":
    main()
