"""The figures of tools/structure.py: right on a small house, and held on this one."""

import ast
from pathlib import Path

import pytest

import structure
from request_walk import walk_request

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


def test_a_request_is_followed_through_values_made_of_it(house: Path) -> None:
    walked = walk_request(structure.read_modules(house))
    assert set(walked) == {"flows/render.py", "flows/steps.py", "tasks/draw.py"}


def test_a_function_of_a_single_value_is_given_what_it_needs(house: Path) -> None:
    (house / "tasks/draw.py").write_text(
        "from typing import Literal\n\nKind = Literal['a', 'b']\n\n\n"
        "class Folder:\n    path: str\n\n\n"
        "def draw(folder: Folder | None, kinds: list[Kind] = ()) -> None:\n    return folder\n"
    )
    modules = structure.read_modules(house)
    assert set(walk_request(modules)) == {"flows/render.py", "flows/steps.py"}
    with_values = walk_request(modules, with_single_values=True)
    assert set(with_values) == {"flows/render.py", "flows/steps.py", "tasks/draw.py"}


def test_repeated_file_names_are_those_in_several_folders(house: Path) -> None:
    found = structure.repeated_names(structure.read_modules(house))
    assert found == {"values.py": ["schemas", "tasks"]}


def test_lines_are_counted_by_room(house: Path) -> None:
    found = structure.lines_by_room(structure.read_modules(house))
    assert found["tasks"] == 3


def test_a_comparison_with_a_cameras_name_names_a_camera(house: Path) -> None:
    (house / "tasks/draw.py").write_text('def draw(view):\n    return view.camera == "hdnet"\n')
    assert structure.camera_files(structure.read_modules(house)) == ["tasks/draw.py"]


def test_a_docstring_names_no_camera(house: Path) -> None:
    (house / "tasks/draw.py").write_text('"""Draws orthographic views."""\n')
    assert structure.camera_files(structure.read_modules(house)) == []


def test_this_house_keeps_its_figures() -> None:
    modules = structure.read_modules(ROOT)
    assert len(structure.repeated_names(modules)) <= 8
    assert len(walk_request(modules)) <= 15
    assert not any(structure.repeated_options(modules)[name] for name in ("render", "pair"))


def test_a_test_is_named_after_its_module_or_says_its_topic() -> None:
    """Named after it: tests/ROOM/test_MODULE.py, or test_MODULE_TOPIC.py where it has several."""
    unexplained = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        folder, words = ROOT / path.parent.relative_to(ROOT / "tests"), path.stem.split("_")[1:]
        names = ("_".join(words[:count]) + ".py" for count in range(1, len(words) + 1))
        if not any((folder / name).is_file() for name in names):
            unexplained += [] if ast.get_docstring(ast.parse(path.read_text())) else [path.name]
    assert unexplained == []
