"""The counts of the hostile corpus, printed at the end of the test run."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.tasks.scan_folders import write_scan, write_texture

GOOD = "rp_good_posed_001"


@dataclass(slots=True)
class Tally:
    """Cases by family, and what went wrong with any of them."""

    cases: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)


TALLY = Tally()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """Return the counts that the summary prints."""
    return TALLY


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return variables with which a command leaves nothing outside of a temporary folder."""
    folder = tmp_path_factory.mktemp("own")
    for name in ("tmp", "cache", "home"):
        (folder / name).mkdir()
    return {
        "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "cache"),
        "PREFECT_HOME": str(folder / "prefect"), "OMP_NUM_THREADS": "2",
    }  # fmt: skip


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Make a data root of one scan that nothing is wrong with, and a room."""
    write_scan(tmp_path / "people", GOOD)
    (tmp_path / "people/rooms").mkdir()
    write_texture(tmp_path / "people/rooms/hall.png", 3)
    return tmp_path / "people"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the corpus: cases by family, and the faults that were met."""
    if not TALLY.cases:
        return
    terminalreporter.section("hostile corpus")
    families = ", ".join(f"{count} {name}" for name, count in TALLY.cases.items())
    terminalreporter.line(f"{sum(TALLY.cases.values())} cases: {families}")
    found = ", ".join(f"{TALLY.faults[name]} {name}s" for name in ("traceback", "hang", "kill"))
    terminalreporter.line(f"{found}, {TALLY.faults['memory']} above the memory limit")
