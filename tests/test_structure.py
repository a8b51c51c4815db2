"""The figures of tools/structure.py: right on a small house, and held on this one."""

import ast
from pathlib import Path

import pytest

import structure
from flows.cli.app import COMMANDS
from request_walk import walk_request

ROOT = Path(__file__).resolve().parent.parent

SHORT_FILES = {
    "flows/cli/profile_table.py": "loaded with --profile alone",
    "flows/cli/serve.py": "a command is loaded alone",
    "flows/predictions.py": "a step of train that other flows do without",
    "flows/prefect_program.py": "a program",
    "flows/server_program.py": "a program",
    "people/arm_room.py": "two modules of poses measure it, and neither imports the other",
    "people/texel_noise.py": "skin and faces are painted with it",
    "renderers/gl.py": "the one import of PyOpenGL",
    "schemas/addresses.py": "asked by everything that opens files; imports next to nothing",
    "schemas/cache_folder.py": "one place for the caches of five modules",
    "schemas/exr_compression.py": "a table that settings read without the encoder",
    "schemas/many_imports.py": "asked before anything large is imported",
    "schemas/parent_death_signal.py": "a bare call of the kernel, for programs of all rooms",
    "schemas/png_encoding.py": "the format's one writer",
    "schemas/seeds.py": "the one source of random numbers",
    "schemas/spawned_pool.py": "the one way to start a pool of processes",
    "schemas/worker_limits.py": "options that three requests share",
    "tasks/dataset/input_notice.py": "what states and runs say of inputs",
    "tasks/dataset/stored_rows.py": "reads rows of any part, where stored_sample decodes samples",
    "tasks/evaluation/convergence.py": "one estimate with its equation",
    "tasks/evaluation/measure_names.py": "words that tables, page and command share",
    "tasks/machine/kept_memory.py": "one setting of the C library, with its measurement",
    "tasks/reconstruction/mesh_outputs.py": "the files of a mesh, for three methods",
    "tasks/reconstruction/meshing.py": "the choice between two meshings that know nothing of it",
    "tasks/reconstruction/surface_photo.py": "a row of the table of methods",
    "training/hdnet/hourglass_examples.py": "stages and panels share it without a cycle",
    "training/launcher.py": "a program",
    "training/loop/measures.py": "what the measures of both rooms are made of",
    "training/stages.py": "the table of stages",
}
"""Under 40 lines, and why each is a file of its own."""

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
    assert structure.repeated_options(modules) == {"render": {}, "pair": {}, "train": {}}


def test_a_short_file_has_a_reason() -> None:
    """Of programs, flows and task.py the reason is what they are."""
    commands = {f"flows/{name.replace('-', '_')}.py" for name in COMMANDS}
    found = {
        path
        for path in structure.short_files(structure.read_modules(ROOT))
        if not path.endswith("task.py") and path not in commands
    }
    assert found - SHORT_FILES.keys() == set()


def test_a_test_is_named_after_its_module_or_says_its_topic() -> None:
    """Named after it: tests/ROOM/test_MODULE.py, or test_MODULE_TOPIC.py where it has several."""
    unexplained = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        folder, words = ROOT / path.parent.relative_to(ROOT / "tests"), path.stem.split("_")[1:]
        names = ("_".join(words[:count]) + ".py" for count in range(1, len(words) + 1))
        if not any((folder / name).is_file() for name in names):
            unexplained += [] if ast.get_docstring(ast.parse(path.read_text())) else [path.name]
    assert unexplained == []
