"""What decides the bytes of samples, and of frames and pairs: our files, and libraries.

Tests hold these lists against the import graph: whatever the drawing, the reading of scans, the
matching, the encoding and the shard writing import is either listed, or left out with a reason.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PIXEL_FILES: tuple[str, ...] = (
    "renderers/compositing.py",
    "renderers/gl_objects.py",
    "renderers/harmonics.py",
    "renderers/iuv.py",
    "renderers/projected_joints.py",
    "renderers/lighting.py",
    "renderers/limits.py",
    "renderers/mesh_buffers.py",
    "renderers/mesh_normals.py",
    "renderers/placement.py",
    "renderers/rasterizer.py",
    "renderers/seen_pixels.py",
    "renderers/shaders/hit.glsl",
    "renderers/shaders/iuv.frag",
    "renderers/shaders/lit.frag",
    "renderers/shaders/rectangle.vert",
    "renderers/shaders/resolve.frag",
    "renderers/shaders/visibility.frag",
    "renderers/shaders/visibility.vert",
    "renderers/view_rays.py",
    "renderers/viewpoint.py",
    "schemas/camera.py",
    "schemas/codecs.py",
    "schemas/exr_compression.py",
    "schemas/exr_encoding.py",
    "schemas/fits.py",
    "schemas/joint_corrections.toml",
    "schemas/keypoints.py",
    "schemas/png_decoding.py",
    "schemas/png_encoding.py",
    "schemas/sample.py",
    "schemas/samples.py",
    "schemas/scan.py",
    "schemas/seeds.py",
    "schemas/settings.py",
    "schemas/subjects.py",
    "schemas/subjects.toml",
    "schemas/views.py",
    "tasks/backgrounds.py",
    "tasks/samples/densepose_files.py",
    "tasks/samples/drawing.py",
    "tasks/samples/encoding.py",
    "tasks/fits/arrays.py",
    "tasks/fits/body_model.py",
    "tasks/fits/check.py",
    "tasks/fits/pickles.py",
    "tasks/fits/placing.py",
    "tasks/fits/fit_parameters.py",
    "tasks/samples/joint_completion.py",
    "tasks/samples/scan_reading.py",
    "tasks/scans/charts.py",
    "tasks/scans/files.py",
    "tasks/scans/geometry.py",
    "tasks/scans/joints.py",
    "tasks/scans/layouts.py",
    "tasks/scans/lines.py",
    "tasks/scans/mtl.py",
    "tasks/scans/obj.py",
    "tasks/scans/obj_faces.py",
    "tasks/scans/ply.py",
    "tasks/scans/polygons.py",
    "tasks/scans/scan_mesh.py",
    "tasks/scans/texture_scale.py",
    "tasks/scans/textures.py",
    "tasks/dataset/shards.py",
    "tasks/video/images.py",
)

NOT_PIXELS: dict[str, str] = {
    "renderers/cuda_devices.py": "asks CUDA which GPU it would use",
    "renderers/egl.py": "opens the device; its name is in the manifest",
    "renderers/egl_devices.py": "lists devices",
    "renderers/egl_library.py": "binds EGL",
    "renderers/gl.py": "binds GL",
    "renderers/session.py": "holds the context of a process",
    "schemas/addresses.py": "where files are",
    "schemas/atomic_files.py": "how files come to be whole",
    "schemas/cache_folder.py": "where files are",
    "schemas/dataset_reader.py": "where files are",
    "schemas/dataset_store.py": "where files are",
    "schemas/errors.py": "messages",
    "schemas/file_status.py": "what a path is",
    "schemas/frames.py": "columns of videos; of it only the number of DensePose's parts is used",
    "schemas/input_mirror.py": "where files are",
    "schemas/manifest.py": "records beside the shards",
    "schemas/object_cache.py": "where files are",
    "schemas/object_store.py": "where files are",
    "schemas/options.py": "how options are shown",
    "schemas/pairing.py": "settings of video pairs; imported by the records",
    "schemas/parquet_ranges.py": "where files are",
    "schemas/profiling.py": "counts seconds",
    "schemas/regular_files.py": "opens files and refuses what is none",
    "schemas/s3_store.py": "where files are",
    "schemas/s3_upload.py": "where files are",
    "schemas/size_limits.py": "refuses what is too big",
    "schemas/store_errors.py": "messages",
    "schemas/wording.py": "messages",
    "schemas/work.py": "threads",
    "schemas/worker_use.py": "what workers took, beside the shards",
    "tasks/machine/meter.py": "measures workers",
    "tasks/worker_beats.py": "heartbeats of workers",
}
"""Imported by what decides pixels, without deciding any; and why."""

PAIR_FILES: tuple[str, ...] = (
    "schemas/camera.py",
    "schemas/codecs.py",
    "schemas/exr_compression.py",
    "schemas/exr_encoding.py",
    "schemas/frames.py",
    "schemas/pairing.py",
    "schemas/png_decoding.py",
    "schemas/png_encoding.py",
    "schemas/samples.py",
    "schemas/scan.py",
    "tasks/dataset/shards.py",
    "tasks/scans/files.py",
    "tasks/scans/textures.py",
    "tasks/video/choosing.py",
    "tasks/video/cropping.py",
    "tasks/video/frames.py",
    "tasks/video/images.py",
    "tasks/video/matching.py",
    "tasks/video/number_grids.py",
    "tasks/video/pair_shard.py",
    "tasks/video/sequences.py",
    "tasks/video/survey.py",
    "tasks/video/video_shards.py",
)
"""What decides frames and pairs."""

DECIDING_LIBRARIES = (
    "isal", "numpy", "opencv-python", "openexr", "pyarrow", "pyopengl", "trimesh",
)  # fmt: skip
"""Distributions whose code makes or encodes pixels, or lays out the Parquet file."""

BODY_MODEL_LIBRARIES = ("smplx", "torch")
"""What besides decides bytes where joints come from a SMPL-X model."""

_PROJECT = Path(__file__).resolve().parents[2]


@cache
def code_digest() -> str:
    """Return the sha256 over names and contents of the files that decide pixels, hex."""
    return digest_files_of(PIXEL_FILES)


@cache
def pair_code_digest() -> str:
    """Return the sha256 over the files that decide frames and pairs, hex."""
    return digest_files_of(PAIR_FILES)


def digest_files_of(names: Iterable[str]) -> str:
    """Return the sha256 over names and contents of some of our files, hex."""
    digest = hashlib.sha256()
    for name in sorted(names):
        content = (_PROJECT / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def scanmill_version() -> str:
    """Return the installed version, or "unknown" when run from a tree that is not installed."""
    return _version_of("scanmill")


def deciding_versions(*, with_body_model: bool = False) -> dict[str, str]:
    """Return the version of each library that decides bytes."""
    names = (*DECIDING_LIBRARIES, *(BODY_MODEL_LIBRARIES if with_body_model else ()))
    return {name: _version_of(name) for name in names}


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
