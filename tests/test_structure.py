"""The figures of tools/structure.py: right on a small house, and held on this one."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent

RENDER = '''
from flows.steps import plan, show
from schemas.values import Job, size_of


def render(request):
    """Pass the request on."""
    job = Job(request.out)
    count = size_of("nothing of it")
    show(count)
    return plan(job)
'''
STEPS = """
from tasks.draw import draw


def plan(job):
    return [draw(folder) for folder in job.folders]


def show(count):
    print(count)
"""
DRAW = "def draw(folder):\n    return folder\n"
VALUES = "class Job:\n    pass\n\n\ndef size_of(text):\n    return len(text)\n"


@pytest.fixture(scope="module")
def structure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("structure", ROOT / "tools/structure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["structure"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def house(tmp_path: Path) -> Path:
    sources = {
        "flows/render.py": RENDER, "flows/steps.py": STEPS, "tasks/draw.py": DRAW,
        "schemas/values.py": VALUES, "tasks/values.py": "X = 1\n",
    }  # fmt: skip
    for name, source in sources.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    return tmp_path


def test_a_request_is_followed_through_values_made_of_it(
    structure: ModuleType, house: Path
) -> None:
    walked = structure.walk_request(structure.read_modules(house))
    assert set(walked) == {"flows/render.py", "flows/steps.py", "tasks/draw.py"}


def test_repeated_file_names_are_those_in_several_folders(
    structure: ModuleType, house: Path
) -> None:
    found = structure.repeated_names(structure.read_modules(house))
    assert found == {"values.py": ["schemas", "tasks"]}


def test_lines_are_counted_by_room(structure: ModuleType, house: Path) -> None:
    found = structure.lines_by_room(structure.read_modules(house))
    assert found["tasks"] == 3


def test_a_comparison_with_a_cameras_name_names_a_camera(
    structure: ModuleType, house: Path
) -> None:
    (house / "tasks/draw.py").write_text('def draw(view):\n    return view.camera == "hdnet"\n')
    assert structure.camera_files(structure.read_modules(house)) == ["tasks/draw.py"]


def test_a_docstring_names_no_camera(structure: ModuleType, house: Path) -> None:
    (house / "tasks/draw.py").write_text('"""Draws orthographic views."""\n')
    assert structure.camera_files(structure.read_modules(house)) == []
