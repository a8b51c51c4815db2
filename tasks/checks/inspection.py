"""The inventory of a data root before any work: what is there, what is broken and why.

Imports neither Prefect, torch, GL nor trimesh, so that it answers within a second.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ScanmillError
from schemas.scan import DatasetName
from tasks.fits.fit_parameters import read_fit
from tasks.scans.charts import read_charts
from tasks.scans.joints import read_annotation
from tasks.scans.layouts import (
    UNUSABLE_NAME,
    Role,
    ScanFiles,
    list_scans,
    list_unusable_names,
    release_of,
)
from tasks.scans.scan_mesh import list_textures, read_outline
from tasks.scans.textures import probe_texture, read_texture

BODY_SHARE = 0.15
"""Part of an image that the person covers. Measured at 2048: a man 0.11, a stout figure 0.19."""

BYTES_PER_BODY_PIXEL = {
    "color_front": 1.6,
    "color_back": 1.6,
    "shaded": 1.6,
    "mask": 0.05,
    "depth": 6.9,
    "normals": 6.2,
}
"""Size of a sample's columns, divided by the person's pixels. Measured on a clothed man of 108,304
triangles with a 6144 x 6144 texture at 2048, PNG and EXR ZIP; at 512 a third more."""

BYTES_PER_PIXEL_OF_IMAGE = 0.5
"""JPEG of quality 95, 4:4:4, over an enlarged photograph; estimated, 0.1 over black."""

BYTES_PER_SAMPLE = 20_000
"""Small columns and the Parquet footer's share."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextureSize(_Value):
    """One image of a scan."""

    path: str = Field(description="below the data root")
    width: int = Field(description="pixels")
    height: int = Field(description="pixels")


class ScanInspection(_Value):
    """What is known about one scan without drawing it."""

    scan_id: str
    subject: str
    release: str | None = Field(default=None, description="of the data set, by the scan's number")
    found: dict[Role, str] = Field(description="files below the data root")
    absent: dict[Role, tuple[str, ...]] = Field(description="names that were tried without success")
    problems: tuple[str, ...] = Field(description="why it can't be read; empty: it can")
    warnings: tuple[str, ...] = Field(description="what is put right or done without")
    triangles: int | None = None
    vertices: int | None = None
    textures: tuple[TextureSize, ...] = ()
    joints_visible: int | None = Field(default=None, description="of the annotation")
    joints_total: int | None = None
    input_bytes: int = Field(description="size of the files that were found")

    @property
    def is_readable(self) -> bool:
        """Return whether the scan can be rendered."""
        return not self.problems


class Inspection(_Value):
    """The inventory of one data set below a data root."""

    data_root: str
    dataset: DatasetName
    scans: tuple[ScanInspection, ...]
    readable: int
    broken: int
    with_warnings: int
    subjects: int
    triangles: int
    input_bytes: int
    resolution: int = Field(description="pixels a side, of the expected data set")
    views: int = Field(description="views of a scan, of the expected data set")
    expected_samples: int
    expected_bytes: int = Field(description="estimate, right to a factor of two")
    decoded: bool = Field(description="whether every image was decoded to its last pixel")


def inspect_root(
    data_root: Path,
    dataset: DatasetName,
    *,
    resolution: int,
    views: int,
    decode: bool = False,
    on_scan: Callable[[int, int], None] | None = None,
) -> Inspection:
    """Look at every scan of a data set.

    Reads meshes and annotations whole, images by their structure; decode: images whole too.
    on_scan: is told how many scans are done, and of how many.
    Raises RequestError when the data root is not in the layout of this data set. A scan that is
    broken is listed with its reason.
    """
    found = list_scans(data_root, dataset)
    scans: list[ScanInspection] = []
    for files in found:
        scans.append(inspect_scan(files, decode=decode))
        if on_scan is not None:
            on_scan(len(scans), len(found))
    scans += [_refuse_name(dataset, name) for name in list_unusable_names(data_root, dataset)]
    readable = [scan for scan in scans if scan.is_readable]
    return Inspection(
        data_root=str(data_root),
        dataset=dataset,
        scans=tuple(scans),
        readable=len(readable),
        broken=len(scans) - len(readable),
        with_warnings=sum(bool(scan.warnings) for scan in scans),
        subjects=len({scan.subject for scan in scans}),
        triangles=sum(scan.triangles or 0 for scan in scans),
        input_bytes=sum(scan.input_bytes for scan in scans),
        resolution=resolution,
        views=views,
        expected_samples=len(readable) * views,
        expected_bytes=len(readable) * views * expect_sample_bytes(resolution),
        decoded=decode,
    )


def _refuse_name(dataset: DatasetName, name: str) -> ScanInspection:
    """Describe a folder whose name is no printable UTF-8; name: escaped."""
    return ScanInspection(
        scan_id=f"{dataset}/{name}", subject=name, found={}, absent={}, input_bytes=0,
        problems=(UNUSABLE_NAME,), warnings=(),
    )  # fmt: skip


def inspect_scan(files: ScanFiles, *, decode: bool = False) -> ScanInspection:
    """Look at one scan; whatever is wrong with it is in the answer."""
    seen = _Seen(files, decode=decode)
    seen.look(seen.read_mesh)
    seen.look(seen.read_joints)
    seen.look(seen.read_fit)
    seen.look(seen.read_charts)
    absent = {role: paths for role, paths in files.tried.items() if role not in files.found}
    return ScanInspection(
        scan_id=files.scan_id,
        subject=files.subject,
        release=release_of(files.dataset, files.item),
        found={role: _below(files, path) for role, path in files.found.items()},
        absent={
            role: tuple(_below(files, path) for path in paths)
            for role, paths in absent.items()
            if paths
        },
        problems=tuple(seen.problems),
        warnings=tuple(seen.warnings),
        triangles=seen.triangles,
        vertices=seen.vertices,
        textures=tuple(seen.textures),
        joints_visible=seen.joints_visible,
        joints_total=seen.joints_total,
        input_bytes=sum(path.stat().st_size for path in files.found.values()),
    )


def expect_sample_bytes(resolution: int) -> int:
    """Estimate the size of one sample on disk; resolution: pixels a side."""
    pixels = resolution * resolution
    body = BODY_SHARE * sum(BYTES_PER_BODY_PIXEL.values())
    return round(pixels * (body + BYTES_PER_PIXEL_OF_IMAGE)) + BYTES_PER_SAMPLE


class _Seen:
    """Owns: what was learned about one scan so far. Each look is independent."""

    def __init__(self, files: ScanFiles, *, decode: bool) -> None:
        self._files, self._decode = files, decode
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self.textures: list[TextureSize] = []
        self.triangles: int | None = None
        self.vertices: int | None = None
        self.joints_visible: int | None = None
        self.joints_total: int | None = None

    def look(self, read: Callable[[], None]) -> None:
        """Read one thing; what fails becomes a problem."""
        try:
            read()
        except ScanmillError as error:
            self.problems.append(str(error))

    def read_mesh(self) -> None:
        """Read the mesh and the sizes of its images."""
        outline = read_outline(self._files)
        self.warnings += outline.warnings
        self.triangles = len(outline.geometry.faces)
        self.vertices = len(outline.geometry.vertices)
        for path in list_textures(outline):
            self.look(partial(self._read_texture, path))

    def read_joints(self) -> None:
        """Read the annotation; a scan without one is rendered with unknown joints."""
        if self._files.joints is None:
            self.warnings.append("no Joint3D annotation: all keypoints are unknown")
            return
        positions, visible = read_annotation(self._files.joints)
        self.joints_total, self.joints_visible = len(positions), int(visible.sum())
        if not self.joints_visible:
            self.warnings.append("no joint of the Joint3D annotation is visible")

    def read_fit(self) -> None:
        """Read the fit; say so when the layout knows fits and this scan has none."""
        if self._files.fit is not None:
            read_fit(self._files.fit)
        elif self._files.lacks_fit:
            self.warnings.append("no SMPL-X fit: the scan is not turned to the front")

    def read_charts(self) -> None:
        """Read the DensePose charts; nobody misses them where there are none."""
        if self._files.charts is not None and self.triangles is not None:
            read_charts(self._files.charts, face_count=self.triangles)

    def _read_texture(self, path: Path) -> None:
        if self._decode:
            height, width, _ = read_texture(path).shape
        else:
            header = probe_texture(path)
            width, height = header.width, header.height
        self.textures.append(
            TextureSize(path=_below(self._files, path), width=width, height=height)
        )


def _below(files: ScanFiles, path: Path) -> str:
    return path.relative_to(files.data_root).as_posix()
