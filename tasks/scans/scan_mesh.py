"""Read one scan's mesh with its materials, and say what had to be put right.

Of all names inside the files only those below the scan's own folder are followed.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Int32, UInt8

from schemas.errors import InputError
from schemas.file_status import is_readable_file
from schemas.profiling import span
from schemas.scan import InputFile, Material, Mesh
from tasks.scans.files import digest_files, find_inside, show
from tasks.scans.geometry import Geometry
from tasks.scans.layouts import LAYOUTS, ScanFiles
from tasks.scans.mtl import MtlMaterial, read_mtl
from tasks.scans.obj import read_obj
from tasks.scans.ply import read_ply
from tasks.scans.texture_scale import choose_reduction, texels_a_pixel
from tasks.scans.textures import read_texture

LAYOUT_MATERIAL = "layout"
"""Name of the material of faces that name none, painted with the layout's own texture."""

_READERS = {".obj": read_obj, ".ply": read_ply}


@dataclass(frozen=True, slots=True)
class MaterialRef:
    """What a material is painted with, before its image is read: a path, or a plain colour."""

    name: str
    texture: Path | None
    color: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class MeshOutline:
    """A scan without its images.

    paints: the mesh's materials. face_material: into paints, -1 for none. asked_for: files named
    inside the scan's files that were looked for, found or not.
    """

    geometry: Geometry
    paints: tuple[MaterialRef, ...]
    face_material: Int32[np.ndarray, " F"] | None
    asked_for: tuple[Path, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeshReading:
    """A mesh, what was put right while reading it, and the further files that decided it."""

    mesh: Mesh
    warnings: tuple[str, ...]
    asked_for: tuple[Path, ...]


def read_mesh(files: ScanFiles, *, resolution: int | None = None) -> MeshReading:
    """Read mesh and textures of a scan.

    resolution: of the images that will be drawn, pixels a side; textures are then read as small as
    these let them be. None: as they are.
    Raises InputError when anything is missing or broken that can't be done without.
    """
    outline = read_outline(files)
    geometry = outline.geometry
    reduce = None
    if resolution is not None:
        reduce = partial(choose_reduction, texels_a_pixel(geometry, resolution))
    images = {path: read_texture(path, reduce=reduce) for path in list_textures(outline)}
    mesh = Mesh(
        vertices=geometry.vertices,
        faces=geometry.faces,
        uv=geometry.uv,
        uv_faces=geometry.uv_faces,
        face_material=outline.face_material,
        vertex_colors=geometry.vertex_colors,
        materials=tuple(_to_material(paint, images) for paint in outline.paints),
    )
    return MeshReading(mesh, outline.warnings, outline.asked_for)


def read_outline(files: ScanFiles) -> MeshOutline:
    """Read the mesh of a scan and find its images, without opening them.

    Raises InputError when the mesh is missing or broken, or nothing says what colour it has.
    """
    if files.mesh is None:
        raise _refuse_missing(files, LAYOUTS[files.dataset].meshes, "mesh")
    with span("read mesh"):
        geometry = _READERS[files.mesh.suffix.lower()](files.mesh)
    if geometry.uv is None:
        return _outline_without_uv(files, geometry)
    defined, asked_for, warnings = _read_libraries(files.folder, geometry.libraries)
    resolver = _MaterialResolver(files, defined)
    paints, face_material = _paint_faces(resolver, geometry)
    unused = sorted({*defined, *geometry.materials} - {paint.name for paint in paints})
    warnings += [f"materials unused: {', '.join(map(show, unused))}"] * bool(unused)
    return MeshOutline(
        geometry=geometry,
        paints=paints,
        face_material=face_material,
        asked_for=(*asked_for, *resolver.asked_for),
        warnings=(*geometry.warnings, *warnings, *resolver.warnings),
    )


def list_textures(outline: MeshOutline) -> tuple[Path, ...]:
    """Return the images of an outline, each once."""
    paths = (paint.texture for paint in outline.paints)
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def digest_inputs(files: ScanFiles, asked_for: tuple[Path, ...] = ()) -> tuple[InputFile, ...]:
    """Digest all files of a scan, found or not, with those that its files asked for."""
    with span("hash inputs"):
        return digest_files((*files.looked_for, *asked_for), files.data_root)


def _outline_without_uv(files: ScanFiles, geometry: Geometry) -> MeshOutline:
    if geometry.vertex_colors is None:
        raise InputError(
            str(files.mesh),
            found="neither texture coordinates nor vertex colours",
            expected="a mesh with colours",
            hint="Export the scan again, with its texture coordinates or vertex colours.",
        )
    unused = files.texture is not None
    warnings = ["no texture coordinates: vertex colours are used, the texture is not"] * unused
    return MeshOutline(geometry, (), None, (), (*geometry.warnings, *warnings))


def _read_libraries(
    folder: Path, names: tuple[str, ...]
) -> tuple[dict[str, MtlMaterial], list[Path], list[str]]:
    """Read the material files that a mesh names; returns materials, paths tried and warnings."""
    defined: dict[str, MtlMaterial] = {}
    paths: list[Path] = []
    warnings: list[str] = []
    for name in _split_names(folder, names):
        path = find_inside(folder, name)
        if isinstance(path, str):
            warnings.append(f"mtllib {path}: unused")
            continue
        paths.append(path)
        if not is_readable_file(path):
            warnings.append(f"mtllib {show(name)} is missing")
            continue
        try:
            materials, more = read_mtl(path)
        except InputError as error:
            warnings.append(f"mtllib {show(name)} is unused ({error.found})")
            continue
        defined |= materials
        warnings += more
    return defined, paths, warnings


def _split_names(folder: Path, names: tuple[str, ...]) -> list[str]:
    """Take a name with blanks as one if such a file is there, else as several."""
    split: list[str] = []
    for name in names:
        whole = find_inside(folder, name)
        is_one = isinstance(whole, Path) and is_readable_file(whole)
        split += [name] if is_one else name.split()
    return split


class _MaterialResolver:
    """Decides what each material is painted with. Owns: warnings and the files it looked for."""

    def __init__(self, files: ScanFiles, defined: dict[str, MtlMaterial]) -> None:
        self._files, self._defined = files, defined
        self.warnings: list[str] = []
        self.asked_for: list[Path] = []

    def paint_all(self, name: str) -> MaterialRef:
        """Paint a mesh of one material: with the layout's texture, whatever the file names."""
        named = self._find_named(name)
        texture = self._files.texture or named
        if texture is None:
            raise self._refuse()
        if self._files.texture is None:
            self.warnings.append(f"the layout's texture is missing: {show(texture.name)} is used")
        return MaterialRef(name, texture)

    def paint(self, name: str) -> MaterialRef:
        """Paint one of several materials: with its own image, else the layout's, else plain."""
        material = self._defined.get(name)
        color = material.color if material else None
        if material is not None and material.texture is None:
            return MaterialRef(name, None, color)
        texture = self._find_named(name)
        if texture is None and self._files.texture is None:
            raise self._refuse()
        if texture is None:
            self.warnings.append(f"material {show(name)} is painted with the layout's texture")
        return MaterialRef(name, texture or self._files.texture, color)

    def _find_named(self, name: str) -> Path | None:
        """Return the image a material names, if it may be opened and is there."""
        material = self._defined.get(name)
        if material is None or material.texture is None:
            return None
        path = find_inside(self._files.folder, material.texture)
        if isinstance(path, str):
            self.warnings.append(f"map_Kd of material {show(name)}: {path}: unused")
            return None
        self.asked_for.append(path)
        if is_readable_file(path):
            return path
        self.warnings.append(
            f"map_Kd of material {show(name)}: {show(material.texture)} is missing"
        )
        return None

    def _refuse(self) -> InputError:
        return _refuse_missing(
            self._files, LAYOUTS[self._files.dataset].textures, "texture", self.warnings
        )


def _paint_faces(
    resolver: _MaterialResolver, geometry: Geometry
) -> tuple[tuple[MaterialRef, ...], Int32[np.ndarray, " F"]]:
    """Paint the materials that faces have, and number the faces by them."""
    face_material = geometry.face_material
    if face_material is None:
        face_material = np.full(len(geometry.faces), -1, np.int32)
    used = np.unique(face_material)
    names = [LAYOUT_MATERIAL if k < 0 else geometry.materials[k] for k in used.tolist()]
    if sum(k >= 0 for k in used.tolist()) <= 1:
        return (resolver.paint_all(names[-1]),), np.zeros_like(face_material)
    paints = tuple(resolver.paint(name) for name in names)
    return paints, np.searchsorted(used, face_material).astype(np.int32)


def _to_material(paint: MaterialRef, images: dict[Path, UInt8[np.ndarray, "H W 3"]]) -> Material:
    texture = None if paint.texture is None else images[paint.texture]
    if paint.color is None:
        return Material(paint.name, texture)
    return Material(paint.name, texture, paint.color)


def _refuse_missing(
    files: ScanFiles, patterns: tuple[str, ...], what: str, reasons: list[str] | None = None
) -> InputError:
    because = f" ({'; '.join(reasons)})" if reasons else ""
    return InputError(
        str(files.folder),
        found=f"no {what}{because}",
        expected=" or ".join(pattern.replace("{item}", files.item) for pattern in patterns),
        hint=f"Put the {what} there, or take the scan out of the data root.",
    )
