import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.manifest import Failure, RunRecord
from tasks.dataset.run_records import write_run
from tasks.dataset.states import DatasetStatus, ShardStatus, dataset_status, shards_to_redo
from tasks.samples.sample_shards import SAMPLES, RenderJob
from tests.tasks.data_sets import plan_jobs, render_jobs
from tests.tasks.scan_folders import write_joints, write_scan, write_texture

FIRST, SECOND = "rp_box_posed_001", "rp_crate_posed_001"

RENDERER = """
import sys
from pathlib import Path
from renderers.session import open_session
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob

open_session()
render_shard(RenderJob.model_validate_json(sys.stdin.read()))
"""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A data set of two shards, one scan each, and what it was made from."""

    data: Path
    folder: DatasetFolder
    jobs: list[RenderJob]

    def look(self, *, deep: bool = False) -> DatasetStatus:
        """Decide all states."""
        return dataset_status(self.folder, SAMPLES, given={"data/RP": self.data}, deep=deep)

    def first(self, *, deep: bool = False) -> ShardStatus:
        """Decide the state of the first shard."""
        return self.look(deep=deep).shards[0]

    @property
    def shard(self) -> Path:
        """Return the first shard's file."""
        return self.folder.shard_path("shard-00000")

    @property
    def scan(self) -> Path:
        """Return the folder of the first shard's scan."""
        return self.data / f"obj/RP/{FIRST}_OBJ"

    @property
    def texture(self) -> Path:
        """Return the texture of the first shard's scan."""
        return self.scan / f"tex/{FIRST}_dif_8k.jpg"

    def rewrite(self, **changes: object) -> None:
        """Change the first shard's commit record."""
        manifest = self.folder.read_manifest("shard-00000").model_copy(update=changes)
        write_atomically(self.folder.manifest_path("shard-00000"), manifest.model_dump_json())


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, painter: ProcessPoolExecutor) -> Path:
    root = tmp_path_factory.mktemp("rendered")
    for seed, item in enumerate((FIRST, SECOND)):
        write_scan(root / "data", item, seed=seed)
    painter.submit(render_jobs, plan_jobs(root / "out", root / "data")).result()
    return root


@pytest.fixture
def rendered(tmp_path: Path, template: Path) -> Rendered:
    root = shutil.copytree(template, tmp_path / "copy")
    folder = DatasetFolder.at(root / "out")
    old = plan_jobs(tmp_path / "again", root / "data")
    jobs = [job.model_copy(update={"uri": str(folder.root)}) for job in old]
    return Rendered(root / "data", folder, jobs)


def flip_byte(path: Path, *, keep_time: bool) -> None:
    status = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    if keep_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def failure_of(kind: str) -> tuple[Failure, ...]:
    name = f"RP/{FIRST}/0"
    return (
        Failure.model_validate(
            {"sample_id": name, "stage": "draw", "kind": kind, "error": "E", "message": "m"}
        ),
    )


def test_what_is_whole_and_unchanged_is_done(rendered: Rendered) -> None:
    status = rendered.look()
    assert [shard.state for shard in status.shards] == ["done", "done"]
    assert (status.is_done, status.samples, status.samples_planned) == (True, 4, 4)
    assert shards_to_redo(status) == ()


def test_an_absent_record_is_missing_whatever_stands_there(rendered: Rendered) -> None:
    rendered.folder.manifest_path("shard-00000").unlink()
    assert rendered.first().state == "missing"


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes() + b"x"),
        lambda path: flip_byte(path, keep_time=False),
    ],
    ids=["removed", "cut", "emptied", "longer", "one byte flipped"],
)
def test_a_damaged_file_is_corrupt(rendered: Rendered, damage: Callable[[Path], None]) -> None:
    assert rendered.first().state == "done"
    damage(rendered.shard)
    assert rendered.first().state == "corrupt"


def test_a_flipped_byte_with_its_old_time_is_seen_when_all_is_read(rendered: Rendered) -> None:
    assert rendered.first().state == "done"
    flip_byte(rendered.shard, keep_time=True)
    assert rendered.first().state == "done"
    assert rendered.first(deep=True).state == "corrupt"


def test_what_the_cache_does_not_know_is_read(rendered: Rendered) -> None:
    flip_byte(rendered.shard, keep_time=True)
    assert rendered.first().state == "corrupt"


def test_a_lost_cache_costs_only_time(rendered: Rendered, own_cache: Path) -> None:
    rendered.look()
    shutil.rmtree(own_cache / "scanmill")
    assert rendered.first().state == "done"


def test_a_broken_cache_is_not_believed(rendered: Rendered, own_cache: Path) -> None:
    rendered.look()
    for path in own_cache.rglob("*.json"):
        path.write_text("{")
    flip_byte(rendered.shard, keep_time=True)
    assert rendered.first().state == "corrupt"


def test_rows_that_disagree_are_corrupt(rendered: Rendered) -> None:
    rendered.rewrite(rows=1)
    assert rendered.first().state == "corrupt"


@pytest.mark.parametrize("text", ["", "{", '{"format_version": 2}'])
def test_an_unreadable_record_is_corrupt(rendered: Rendered, text: str) -> None:
    rendered.folder.manifest_path("shard-00000").write_text(text)
    assert rendered.first().state == "corrupt"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: write_texture(one.texture, 99), "dif_8k.jpg changed"),
        (lambda one: one.texture.unlink(), "dif_8k.jpg is gone"),
        (lambda one: write_joints(one.data / f"Joint3D/RP/{FIRST}.json", seed=5), "json changed"),
    ],
    ids=["texture painted again", "texture removed", "joints changed"],
)
def test_a_changed_input_makes_a_shard_stale(
    rendered: Rendered, change: Callable[[Rendered], None], reason: str
) -> None:
    change(rendered)
    shard = rendered.first()
    assert shard.state == "stale"
    assert reason in shard.reasons[0]
    assert rendered.look().shards[1].state == "done"


def test_an_absent_input_that_appears_makes_a_shard_stale(
    rendered: Rendered, painter: ProcessPoolExecutor
) -> None:
    joints = rendered.data / f"Joint3D/RP/{FIRST}.json"
    joints.unlink()
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    assert rendered.first().state == "done"
    write_joints(joints)
    assert rendered.first().state == "stale"
    assert "was absent and is there now" in rendered.first().reasons[0]


def test_a_new_time_alone_changes_nothing(rendered: Rendered) -> None:
    rendered.look()
    os.utime(rendered.texture)
    os.utime(rendered.shard)
    assert rendered.first().state == "done"


def test_other_settings_make_a_shard_stale(rendered: Rendered) -> None:
    rendered.rewrite(settings_digest="0" * 64)
    assert rendered.first().state == "stale"


def test_a_shard_over_older_backgrounds_is_stale(rendered: Rendered) -> None:
    rendered.rewrite(backgrounds_version=7)
    assert rendered.first().state == "stale"
    assert rendered.first().reasons == ("drawn over version 7 of the backgrounds, 1 is in use",)


def test_a_shard_whose_scan_is_gone_is_orphaned_and_kept(rendered: Rendered) -> None:
    shutil.rmtree(rendered.scan)
    status = rendered.look()
    assert status.shards[0].state == "orphaned"
    assert shards_to_redo(status, rejects=True, older_code=True) == ()
    assert rendered.shard.is_file()


def test_without_its_data_root_a_data_set_is_judged_by_itself(rendered: Rendered) -> None:
    shutil.rmtree(rendered.data)
    status = rendered.look()
    assert [shard.state for shard in status.shards] == ["done", "done"]
    assert not status.inputs_checked


def test_a_shard_that_no_plan_names_is_orphaned(rendered: Rendered) -> None:
    (rendered.folder.root / "plan" / "00000.json").unlink()
    assert [shard.state for shard in rendered.look().shards] == ["orphaned", "orphaned"]


def test_older_code_is_told_and_redone_only_when_asked(rendered: Rendered) -> None:
    rendered.rewrite(code_digest="0" * 64)
    status = rendered.look()
    assert (status.shards[0].state, status.shards[0].older_code) == ("done", True)
    assert status.counts == {"done": 2, "older code": 1}
    assert shards_to_redo(status) == ()
    assert shards_to_redo(status, older_code=True) == ("shard-00000",)


def test_a_reject_stays_a_reject_until_its_input_changes(
    rendered: Rendered, painter: ProcessPoolExecutor
) -> None:
    good = rendered.texture.read_bytes()
    rendered.texture.write_bytes(b"<html>not found</html>")
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    status = rendered.look()
    assert status.shards[0].state == "rejects"
    assert shards_to_redo(status) == ()
    assert shards_to_redo(status, rejects=True) == ("shard-00000",)
    rendered.texture.write_bytes(good)
    assert rendered.first().state == "stale"
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    assert rendered.first().state == "done"


def test_a_reject_for_want_of_a_texture_is_redone_when_it_comes(
    rendered: Rendered, painter: ProcessPoolExecutor
) -> None:
    good = rendered.texture.read_bytes()
    rendered.texture.unlink()
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    assert rendered.first().state == "rejects"
    rendered.texture.write_bytes(good)
    assert rendered.first().state == "stale"


def test_rejects_of_older_code_are_redone(rendered: Rendered) -> None:
    rendered.rewrite(failures=failure_of("input"), code_digest="0" * 64)
    assert shards_to_redo(rendered.look()) == ("shard-00000",)


def test_a_failure_of_the_environment_is_failed_and_redone(rendered: Rendered) -> None:
    rendered.rewrite(failures=(*failure_of("input"), *failure_of("environment")))
    status = rendered.look()
    assert status.shards[0].state == "failed"
    assert shards_to_redo(status) == ("shard-00000",)


def test_a_renderer_killed_in_the_middle_leaves_no_shard_and_a_rerun_makes_it(
    rendered: Rendered, painter: ProcessPoolExecutor
) -> None:
    before = rendered.shard.read_bytes()
    rendered.shard.unlink()
    rendered.folder.manifest_path("shard-00000").unlink()
    kill_while_writing(rendered)
    assert not rendered.shard.exists()
    assert rendered.first().state == "missing"
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    assert rendered.first().state == "done"
    assert rendered.shard.read_bytes() == before


def test_a_corrupt_shard_is_repaired_to_the_same_bytes(
    rendered: Rendered, painter: ProcessPoolExecutor
) -> None:
    before = rendered.shard.read_bytes()
    flip_byte(rendered.shard, keep_time=False)
    assert shards_to_redo(rendered.look()) == ("shard-00000",)
    painter.submit(render_jobs, rendered.jobs[:1]).result()
    assert rendered.shard.read_bytes() == before
    assert rendered.first(deep=True).state == "done"


def test_roots_are_those_of_the_last_run(rendered: Rendered) -> None:
    record = RunRecord(
        command="render", started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:00:01+00:00",
        seconds=1, workers=1, host="here", roots={"data/RP": str(rendered.data)}, shards={},
        samples=0, failures=0,
    )  # fmt: skip
    write_run(rendered.folder, record)
    write_texture(rendered.texture, 99)
    assert dataset_status(rendered.folder, SAMPLES).shards[0].state == "stale"


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no dataset\.json in it"):
        dataset_status(DatasetFolder.at(tmp_path), SAMPLES)


def test_progress_counts_shards(rendered: Rendered) -> None:
    seen: list[tuple[int, int]] = []
    dataset_status(
        rendered.folder, SAMPLES, progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(1, 2), (2, 2)]


def test_a_status_can_be_read_by_programs(rendered: Rendered) -> None:
    status = rendered.look()
    assert DatasetStatus.model_validate_json(status.model_dump_json()) == status


def test_looking_needs_neither_prefect_nor_torch_nor_gl() -> None:
    script = (
        "import sys, tasks.dataset.states, tasks.samples.sample_shards, tasks.video.video_shards; "
        "print({'prefect', 'torch', 'OpenGL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def kill_while_writing(rendered: Rendered) -> None:
    """Start to render a shard of very many views, and kill the process once it writes."""
    views = rendered.jobs[0].settings.model_copy(update={"yaws": tuple(range(-180, 180))})
    job = rendered.jobs[0].model_copy(update={"settings": views})
    with subprocess.Popen([sys.executable, "-c", RENDERER], stdin=subprocess.PIPE) as renderer:
        assert renderer.stdin is not None
        renderer.stdin.write(job.model_dump_json().encode())
        renderer.stdin.close()
        while not list(rendered.shard.parent.glob(".tmp-*")):
            assert renderer.poll() is None
            threading.Event().wait(0.005)
        os.kill(renderer.pid, signal.SIGKILL)


def test_new_changed_and_removed_scans_are_named(rendered: Rendered) -> None:
    assert rendered.look().inputs.sentence == ""
    write_scan(rendered.data, "rp_late_posed_001")
    write_texture(rendered.texture, seed=7)
    shutil.rmtree(rendered.data / f"obj/RP/{SECOND}_OBJ")
    assert rendered.look().inputs.model_dump() == {
        "new": ("RP/rp_late_posed_001",),
        "changed": (f"RP/{FIRST}",),
        "removed": (f"RP/{SECOND}",),
    }


def test_other_settings_are_no_change_of_inputs(rendered: Rendered) -> None:
    rendered.rewrite(settings_digest="0" * 64)
    assert rendered.first().state == "stale"
    assert rendered.look().inputs.sentence == ""
