"""Versions that a manifest keeps: of scanmill, and of the libraries that decide bytes."""

from importlib.metadata import PackageNotFoundError, version

DECIDING_LIBRARIES = (
    "numpy", "opencv-python", "openexr", "pyarrow", "pyopengl", "pyrender2", "trimesh",
)  # fmt: skip
"""Distributions whose code makes or encodes pixels, or lays out the Parquet file."""

BODY_MODEL_LIBRARIES = ("smplx", "torch")
"""What besides decides bytes where joints come from a SMPL-X model."""


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
