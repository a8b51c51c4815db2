"""Hostile meshes: OBJ in RenderPeople's layout, PLY in that of 2K2K. One folder a case."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.mutations import mutate
from tests.tasks.scan_folders import write_box, write_scan

Write = Callable[[Path], None]
"""Writes a hostile mesh to this path."""
MUTATED = 36

HEADER = """ply
format {form} 1.0
element vertex {vertices}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
element face {faces}
property list uchar int vertex_indices
end_header
"""
TETRAHEDRON = "0 0 0 9 9 9\n40 0 0 9 9 9\n0 170 0 9 9 9\n0 0 40 9 9 9\n"
SIDES = "3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 3\n"


def text(content: str) -> Write:
    """Write these characters."""
    return lambda path: _discard(path.write_text(content))


def data(content: bytes) -> Write:
    """Write these bytes."""
    return lambda path: _discard(path.write_bytes(content))


def sparse(head: bytes, size: int) -> Write:
    """Write a head, then nothing up to this size: a giant that takes no room on the disk."""

    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.write(head)
            file.truncate(size)

    return write


def make_fifo(path: Path) -> None:
    """Make a pipe that nobody writes to: reading it would wait for ever."""
    os.mkfifo(path)


def link_to(target: str) -> Write:
    """Make a symbolic link."""
    return lambda path: path.symlink_to(target)


def ply(vertices: object = 4, faces: object = 4, body: str = TETRAHEDRON + SIDES) -> str:
    """Return an ASCII PLY with these counts in its header."""
    return HEADER.format(form="ascii", vertices=vertices, faces=faces) + body


BOX = "v 0 0 0\nv 40 0 0\nv 0 170 0\nv 0 0 40\nvt 0 0\nvt 1 0\nvt 0 1\n"
OBJ: dict[str, Write] = {
    "empty": text(""),
    "spaces": text(" \n" * 2000),
    "nothing-but-comments": text("# a\n" * 2000),
    "no-faces": text(BOX),
    "no-vertices": text("f 1 2 3\n"),
    "index-zero": text(BOX + "f 0 1 2\n"),
    "index-far": text(BOX + "f 1 2 99999999999999999999\n"),
    "index-negative-far": text(BOX + "f -1 -2 -999\n"),
    "index-word": text(BOX + "f one two three\n"),
    "texel-far": text(BOX + "f 1/1 2/2 3/77\n"),
    "two-corners": text(BOX + "f 1 2\n"),
    "a-million-corners": text(BOX + "f " + "1 2 3 " * 350_000 + "\n"),
    "nan": text(BOX.replace("170", "nan") + "f 1 2 3\n"),
    "inf": text(BOX.replace("170", "inf") + "f 1 2 3\n"),
    "overflow": text(BOX.replace("170", "1e400") + "f 1 2 3\n"),
    "far-away": text(BOX.replace("170", "1e30") + "f 1 2 3\n"),
    "one-point": text("v 1 1 1\n" * 4 + "f 1 2 3\nf 2 3 4\n"),
    "flat-line": text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n"),
    "vertex-of-two": text("v 1 2\n" * 4 + "f 1 2 3\n"),
    "long-line": text("v " + "1" * 3_000_000 + " 0 0\nf 1 1 1\n"),
    "long-number": text(BOX + f"f {'1' * 5000} 2 3\n"),
    "nul-bytes": data(b"\0" * 4096),
    "nul-inside": text(BOX.replace("v 40", "v \0 40") + "f 1 2 3\n"),
    "utf-16": data((BOX + "f 1 2 3\n").encode("utf-16")),
    "gzip": data(b"\x1f\x8b\x08\0" + bytes(range(256)) * 8),
    "a-picture": data(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8),
    "sparse-giant": sparse(BOX.encode() + b"f 1 2 3\n", 5 << 30),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
    "own-memory": link_to("/proc/self/mem"),
    "link-to-itself": lambda path: path.symlink_to(path),
    "link-to-nothing": link_to("/nowhere/at/all.obj"),
    "material-outside": text("mtllib ../../../../../../etc/passwd\n" + BOX + "usemtl a\nf 1 2 3\n"),
    "material-fifo": text("mtllib fifo.mtl\n" + BOX + "usemtl a\nf 1/1 2/2 3/3\n"),
    "many-materials": text(BOX + "".join(f"usemtl m{n}\nf 1 2 3\n" for n in range(30_000))),
    "cut-continuation": text(BOX + "f 1 2 \\\n"),
}
"""By name; each replaces the mesh of a whole scan."""

PLY: dict[str, Write] = {
    "empty": text(""),
    "magic-alone": text("ply\n"),
    "no-end": text(HEADER.format(form="ascii", vertices=4, faces=4).replace("end_header\n", "")),
    "count-5000-digits": text(ply(vertices="9" * 5000)),
    "count-negative": text(ply(vertices=-4)),
    "count-word": text(ply(vertices="four")),
    "count-of-faces-huge": text(ply(faces=10**12)),
    "count-of-vertices-huge": text(ply(vertices=2**63)),
    "binary-giant": sparse(
        HEADER.format(form="binary_little_endian", vertices=200_000_000, faces=4).encode(), 3 << 30
    ),
    "binary-short": data(
        HEADER.format(form="binary_little_endian", vertices=4, faces=4).encode() + b"\0" * 10
    ),
    "binary-big-endian-zeros": data(
        HEADER.format(form="binary_big_endian", vertices=4, faces=4).encode() + b"\0" * 512
    ),
    "format-unknown": text(ply().replace("ascii 1.0", "ternary 7.0")),
    "list-of-lists": text(ply().replace("list uchar int", "list uchar list")),
    "property-unknown": text(ply().replace("float x", "quaternion x")),
    "no-x": text(ply().replace("property float x\n", "")),
    "many-properties": text(ply().replace("property uchar red", "property uchar red\n" * 50_000)),
    "index-far": text(ply(body=TETRAHEDRON + SIDES.replace("3 1 2 3", "3 1 2 77"))),
    "index-negative": text(ply(body=TETRAHEDRON + SIDES.replace("3 1 2 3", "3 1 2 -1"))),
    "corners-255": text(ply(body=TETRAHEDRON + SIDES.replace("3 0 2 1", "255 0 2 1"))),
    "nan": text(ply(body=TETRAHEDRON.replace("170", "nan") + SIDES)),
    "long-header-line": text("ply\ncomment " + "a" * 2_000_000 + "\n" + ply()[4:]),
    "comments-without-end": text("ply\n" + "comment a\n" * 500_000),
    "fifo": make_fifo,
    "folder": lambda path: path.mkdir(),
    "endless-device": link_to("/dev/zero"),
}


def write_obj_cases(root: Path) -> list[str]:
    """Write a scan a case below a data root; returns their names."""
    box = root / "box.obj"
    write_box(box)
    well_formed = box.read_bytes()
    box.unlink()
    cases = {**OBJ, **{f"mutated-{n}": data(mutate(well_formed, n)) for n in range(MUTATED)}}
    return [_replace(root, name, write) for name, write in cases.items()]


def write_ply_cases(root: Path) -> list[str]:
    """Write a scan a case in 2K2K's layout; returns their names."""
    well_formed = ply().encode()
    cases = {**PLY, **{f"mutated-{n}": data(mutate(well_formed, n)) for n in range(MUTATED)}}
    for name, write in cases.items():
        folder = root / "obj/2K2K" / name
        folder.mkdir(parents=True)
        write(folder / f"{name}.ply")
    return list(cases)


def write_good_ply(root: Path, item: str) -> None:
    """Write a scan of four triangles that nothing is wrong with."""
    folder = root / "obj/2K2K" / item
    folder.mkdir(parents=True)
    (folder / f"{item}.ply").write_text(ply())


def _replace(root: Path, name: str, write: Write) -> str:
    item = f"rp_mesh-{name}_posed_001"
    folder = write_scan(root, item)
    mesh = folder / f"{item}_100k.obj"
    mesh.unlink()
    write(mesh)
    if name == "material-fifo":
        os.mkfifo(folder / "fifo.mtl")
    return item


def _discard(_: object) -> None:
    """Give a writer's count no meaning."""
