"""Which of our files decide frames and pairs; a test holds the list against the import graph."""

from functools import cache

from tasks.dataset.code_digest import digest_files_of

PAIR_FILES: tuple[str, ...] = (
    "schemas/camera.py",
    "schemas/codecs.py",
    "schemas/frames.py",
    "schemas/pairing.py",
    "schemas/samples.py",
    "schemas/scan.py",
    "tasks/video/number_grids.py",
    "tasks/scans/files.py",
    "tasks/scans/textures.py",
    "tasks/dataset/shards.py",
    "tasks/video/choosing.py",
    "tasks/video/cropping.py",
    "tasks/video/frames.py",
    "tasks/video/matching.py",
    "tasks/video/pair_shard.py",
    "tasks/video/images.py",
    "tasks/video/sequences.py",
    "tasks/video/shard_formats.py",
    "tasks/video/survey.py",
    "tasks/video/video_shard.py",
)


@cache
def pair_code_digest() -> str:
    """Return the sha256 over the files that decide frames and pairs, hex."""
    return digest_files_of(PAIR_FILES)
