from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.scans.layouts import ScanFiles, find_scan
from tasks.scans.scan_mesh import digest_inputs, list_textures, read_mesh, read_outline
from tests.fixtures_meshes import (
    encode_image,
    plain_image,
    tetrahedron_obj,
    write,
    write_rp_scan,
)

ITEM = "rp_ada_posed_001"
TEXTURE = f"tex/{ITEM}_dif_8k.jpg"
LAYOUT_COLOR = (200, 100, 50)
RED, BLUE = (250, 0, 0), (0, 0, 250)

TWO_MATERIALS = tetrahedron_obj(head="mtllib a.mtl", material="usemtl skin").replace(
    "f 1/1 4/4 3/3", "usemtl cloth\nf 1/1 4/4 3/3"
)
"""The first two faces are skin, the last two cloth."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_rp_scan(tmp_path)
    return tmp_path


def write_obj(root: Path, text: str, mtl: str | None = None) -> Path:
    folder = root / f"obj/RP/{ITEM}_OBJ"
    write(folder / f"{ITEM}_100k.obj", text)
    if mtl is not None:
        write(folder / "a.mtl", mtl)
    return folder


def files(root: Path) -> ScanFiles:
    return find_scan(root, "RP", ITEM)


def color(texture: np.ndarray | None) -> tuple[int, ...]:
    assert texture is not None
    return tuple(texture[0, 0].tolist())


def near(texture: np.ndarray | None, expected: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(color(texture), expected, strict=True)) <= 4


def image(rgb: tuple[int, int, int]) -> bytes:
    return encode_image(plain_image(rgb), ".png")


def test_a_scan_is_painted_with_its_texture(root: Path) -> None:
    reading = read_mesh(files(root))
    (material,) = reading.mesh.materials
    assert near(material.texture, LAYOUT_COLOR)
    assert reading.mesh.face_material is not None
    assert reading.mesh.face_material.tolist() == [0, 0, 0, 0]
    assert reading.warnings == ()


def test_of_one_material_only_the_layouts_texture_is_used(root: Path) -> None:
    text = tetrahedron_obj(head="mtllib a.mtl", material="usemtl skin")
    folder = write_obj(root, text, "newmtl skin\nmap_Kd red.png\n")
    write(folder / "red.png", image(RED))
    (material,) = read_mesh(files(root)).mesh.materials
    assert near(material.texture, LAYOUT_COLOR)
    assert material.name == "skin"


def test_several_materials_have_their_own_textures(root: Path) -> None:
    mtl = "newmtl skin\nmap_Kd tex\\red.png\nnewmtl cloth\nmap_Kd -s 1 1 1 blue.png\n"
    folder = write_obj(root, TWO_MATERIALS, mtl)
    write(folder / "tex/red.png", image(RED))
    write(folder / "blue.png", image(BLUE))
    mesh = read_mesh(files(root)).mesh
    assert [color(material.texture) for material in mesh.materials] == [RED, BLUE]
    assert mesh.face_material is not None
    assert mesh.face_material.tolist() == [0, 0, 1, 1]


def test_a_material_without_texture_has_its_color(root: Path) -> None:
    mtl = "newmtl skin\nmap_Kd red.png\nnewmtl cloth\nKd 0 0 1\n"
    write(write_obj(root, TWO_MATERIALS, mtl) / "red.png", image(RED))
    material = read_mesh(files(root)).mesh.materials[1]
    assert (material.texture, material.color) == (None, (0, 0, 255))


def test_a_shared_texture_is_read_once(root: Path) -> None:
    mtl = "newmtl skin\nmap_Kd red.png\nnewmtl cloth\nmap_Kd red.png\n"
    write(write_obj(root, TWO_MATERIALS, mtl) / "red.png", image(RED))
    skin, cloth = read_mesh(files(root)).mesh.materials
    assert skin.texture is cloth.texture


def test_faces_above_any_material_get_the_layouts_texture(root: Path) -> None:
    text = TWO_MATERIALS.replace("usemtl skin\n", "").replace("f 2/2 3/3", "usemtl skin\nf 2/2 3/3")
    mtl = "newmtl skin\nmap_Kd red.png\nnewmtl cloth\nmap_Kd red.png\n"
    write(write_obj(root, text, mtl) / "red.png", image(RED))
    mesh = read_mesh(files(root)).mesh
    assert near(mesh.materials[0].texture, LAYOUT_COLOR)
    assert mesh.face_material is not None
    assert mesh.face_material.tolist() == [0, 0, 1, 2]


HOSTILE = ["/etc/passwd", "../../../secret.png", "C:\\a.png", "http://example.org/a.png", "out.png"]


@pytest.mark.parametrize("name", HOSTILE)
def test_textures_outside_the_folder_are_replaced_with_a_warning(root: Path, name: str) -> None:
    write(root / "secret.png", image(RED))
    folder = write_obj(root, TWO_MATERIALS, f"newmtl skin\nmap_Kd {name}\nnewmtl cloth\nKd 0 0 1\n")
    (folder / "out.png").symlink_to(root / "secret.png")
    reading = read_mesh(files(root))
    assert near(reading.mesh.materials[0].texture, LAYOUT_COLOR)
    assert reading.warnings[0].startswith("map_Kd of material 'skin': ")
    assert reading.warnings[1] == "material 'skin' is painted with the layout's texture"


@pytest.mark.parametrize("name", HOSTILE)
def test_textures_outside_the_folder_are_refused_when_there_is_no_other(
    root: Path, name: str
) -> None:
    write(root / "secret.png", image(RED))
    folder = write_obj(root, TWO_MATERIALS, f"newmtl skin\nmap_Kd {name}\nnewmtl cloth\nKd 0 0 1\n")
    (folder / "out.png").symlink_to(root / "secret.png")
    (folder / TEXTURE).unlink()
    with pytest.raises(
        InputError, match=r"no texture \(map_Kd of material 'skin'.* expected tex/rp_ada"
    ):
        read_mesh(files(root))


@pytest.mark.parametrize("name", ["/etc/passwd", "../a.mtl", "C:\\a.mtl", "out.mtl"])
def test_material_files_outside_the_folder_are_not_opened(root: Path, name: str) -> None:
    write(root / "obj/RP/a.mtl", "newmtl skin\nKd 1 0 0\n")
    folder = write_obj(root, tetrahedron_obj(head=f"mtllib {name}"))
    (folder / "out.mtl").symlink_to(root / "obj/RP/a.mtl")
    outline = read_outline(files(root))
    assert outline.warnings[0].startswith("mtllib ")
    assert outline.asked_for == ()


def test_a_missing_named_texture_is_replaced_with_a_warning(root: Path) -> None:
    text = tetrahedron_obj(head="mtllib a.mtl", material="usemtl skin")
    write_obj(root, text, "newmtl skin\nmap_Kd lost.png\n")
    assert read_mesh(files(root)).warnings == ("map_Kd of material 'skin': 'lost.png' is missing",)


def test_a_named_texture_serves_where_the_layouts_is_missing(root: Path) -> None:
    text = tetrahedron_obj(head="mtllib a.mtl", material="usemtl skin")
    folder = write_obj(root, text, "newmtl skin\nmap_Kd red.png\n")
    write(folder / "red.png", image(RED))
    (folder / TEXTURE).unlink()
    reading = read_mesh(files(root))
    assert color(reading.mesh.materials[0].texture) == RED
    assert reading.warnings == ("the layout's texture is missing: 'red.png' is used",)


def test_a_missing_material_file_is_a_warning(root: Path) -> None:
    write_obj(root, tetrahedron_obj(head="mtllib a.mtl b.mtl"))
    assert read_outline(files(root)).warnings == (
        "mtllib 'a.mtl' is missing",
        "mtllib 'b.mtl' is missing",
    )


def test_an_empty_material_file_is_a_warning(root: Path) -> None:
    write_obj(root, tetrahedron_obj(head="mtllib a.mtl"), "")
    assert read_outline(files(root)).warnings == ("mtllib 'a.mtl' is unused (0 bytes)",)


def test_a_material_file_with_a_blank_in_its_name_is_found(root: Path) -> None:
    folder = write_obj(root, tetrahedron_obj(head="mtllib my scan.mtl", material="usemtl skin"))
    write(folder / "my scan.mtl", "newmtl skin\nKd 1 1 1\n")
    assert read_outline(files(root)).asked_for == (folder / "my scan.mtl",)


def test_unused_materials_are_a_warning(root: Path) -> None:
    text = tetrahedron_obj(head="mtllib a.mtl\nusemtl empty", material="usemtl skin")
    write_obj(root, text, "newmtl skin\nKd 1 1 1\nnewmtl hat\nKd 1 1 1\n")
    assert read_outline(files(root)).warnings == ("materials unused: 'empty', 'hat'",)


def test_vertex_colors_need_no_texture(root: Path) -> None:
    folder = write_obj(root, "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n")
    (folder / TEXTURE).unlink()
    mesh = read_mesh(files(root)).mesh
    assert mesh.materials == ()
    assert mesh.vertex_colors is not None
    assert mesh.vertex_colors.tolist() == [[255, 0, 0]] * 3


def test_vertex_colors_without_texture_coordinates_win_with_a_warning(root: Path) -> None:
    write_obj(root, "v 0 0 0 1 0 0\nv 1 0 0 1 0 0\nv 0 1 0 1 0 0\nf 1 2 3\n")
    assert read_mesh(files(root)).warnings == (
        "no texture coordinates: vertex colours are used, the texture is not",
    )


def test_a_mesh_without_any_color_is_refused(root: Path) -> None:
    write_obj(root, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(InputError, match="neither texture coordinates nor vertex colours"):
        read_mesh(files(root))


def test_a_scan_without_mesh_is_refused(root: Path) -> None:
    (root / f"obj/RP/{ITEM}_OBJ/{ITEM}_100k.obj").unlink()
    with pytest.raises(
        InputError, match=rf"no mesh; expected {ITEM}_100k.obj or {ITEM}_100k.OBJ or"
    ):
        read_mesh(files(root))


def test_a_scan_without_texture_is_refused(root: Path) -> None:
    (root / f"obj/RP/{ITEM}_OBJ" / TEXTURE).unlink()
    with pytest.raises(InputError, match=rf"no texture; expected {TEXTURE} or tex/{ITEM}_dif.jpg"):
        read_mesh(files(root))


def test_a_page_in_place_of_the_texture_is_refused(root: Path) -> None:
    write(root / f"obj/RP/{ITEM}_OBJ" / TEXTURE, "<html>404</html>")
    with pytest.raises(InputError, match="an HTML page"):
        read_mesh(files(root))


def test_a_2k2k_scan_is_read_from_ply(tmp_path: Path) -> None:
    head = "ply\nformat ascii 1.0\nelement vertex 3\n"
    head += "".join(f"property float {axis}\n" for axis in "xyz")
    head += "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    head += "element face 1\nproperty list uchar int vertex_index\nend_header\n"
    rows = "0 0 0 1 2 3\n1 0 0 1 2 3\n0 1 0 1 2 3\n3 0 1 2\n"
    write(tmp_path / "obj/2K2K/00001/00001.ply", head + rows)
    mesh = read_mesh(find_scan(tmp_path, "2K2K", "00001")).mesh
    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert mesh.vertex_colors is not None
    assert mesh.vertex_colors[0].tolist() == [1, 2, 3]


def test_a_2k2k_scan_is_read_from_obj_and_png(tmp_path: Path) -> None:
    write(tmp_path / "obj/2K2K/00001/00001.obj", tetrahedron_obj())
    write(tmp_path / "obj/2K2K/00001/00001.png", image(BLUE))
    (material,) = read_mesh(find_scan(tmp_path, "2K2K", "00001")).mesh.materials
    assert color(material.texture) == BLUE


def test_a_thuman_scan_is_read(tmp_path: Path) -> None:
    write(tmp_path / "obj/THuman2/data/0016/0016.obj", tetrahedron_obj(head="mtllib material0.mtl"))
    write(tmp_path / "obj/THuman2/data/0016/material0.mtl", "newmtl m\nmap_Kd material0.jpeg\n")
    write(tmp_path / "obj/THuman2/data/0016/material0.jpeg", image(BLUE))
    (material,) = read_mesh(find_scan(tmp_path, "THuman2", "0016")).mesh.materials
    assert color(material.texture) == BLUE


def test_the_digests_list_absent_files_and_those_asked_for(root: Path) -> None:
    text = tetrahedron_obj(head="mtllib a.mtl", material="usemtl skin")
    write_obj(root, text, "newmtl skin\nmap_Kd lost.png\n")
    scan = files(root)
    digests = digest_inputs(scan, read_outline(scan).asked_for)
    folder = f"obj/RP/{ITEM}_OBJ"
    assert [(file.path, file.size is None) for file in digests] == [
        (f"DensePose/RP/{ITEM}.npy", True),
        (f"Joint3D/RP/{ITEM}.json", False),
        (f"{folder}/a.mtl", False),
        (f"{folder}/lost.png", True),
        (f"{folder}/{ITEM}_100k.obj", False),
        (f"{folder}/{TEXTURE}", False),
    ]


def test_the_images_of_an_outline_are_listed_once(root: Path) -> None:
    mtl = "newmtl skin\nmap_Kd red.png\nnewmtl cloth\nmap_Kd red.png\n"
    folder = write_obj(root, TWO_MATERIALS, mtl)
    write(folder / "red.png", image(RED))
    assert list_textures(read_outline(files(root))) == (folder / "red.png",)
