"""A drawn sample as the row of its shard: every array in its codec."""

from collections.abc import Callable
from typing import ParamSpec

from schemas.codecs import encode_depth, encode_jpeg, encode_mask, encode_normals, encode_png
from schemas.profiling import span
from schemas.sample import Sample
from schemas.settings import RenderSettings


def encode_sample(sample: Sample, settings: RenderSettings) -> dict[str, object]:
    """Encode a sample to the columns of schemas.samples.sample_columns."""
    quality, exr = settings.jpeg_quality, settings.exr_compression
    front, back, mask = sample.surfaces.front, sample.surfaces.back, sample.surfaces.mask
    depths = front.seen[..., 3], back.seen[..., 3]
    normals = front.seen[..., :3], back.seen[..., :3]
    ref, camera = sample.ref, sample.camera
    return {
        "sample_id": sample.sample_id,
        "dataset": ref.dataset,
        "item": ref.item,
        "subject": ref.subject,
        "split": ref.split,
        "yaw": sample.view.yaw,
        "pitch": sample.view.pitch,
        "camera": sample.view.camera,
        "width": camera.width,
        "height": camera.height,
        "intrinsics": camera.K.ravel().tolist(),
        "world_to_camera": camera.world_to_camera.ravel().tolist(),
        "mesh_to_world": sample.mesh_to_world.ravel().tolist(),
        "metres_per_unit": sample.metres_per_unit,
        "metric_source": sample.metric_source,
        "image": _image(_encode("image", encode_jpeg, sample.image, quality)),
        "color_front": _image(_encode("color_front", encode_png, front.color)),
        "color_back": _image(_encode("color_back", encode_png, back.color)),
        "shaded": _image(_encode("shaded", encode_png, sample.shaded)),
        "mask": _image(_encode("mask", encode_mask, mask)),
        "iuv": None if sample.iuv is None else _image(_encode("iuv", encode_png, sample.iuv)),
        "depth": _encode("depth", encode_depth, *depths, mask, exr, box=front.box),
        "normals": _encode("normals", encode_normals, *normals, mask, exr, box=front.box),
        "keypoints": sample.keypoints.ravel(),
        "joints_camera": sample.joints_camera.ravel(),
        "keypoint_source": sample.keypoint_source,
        "keypoint_occluded": sample.keypoint_occluded,
        "background": sample.background.path if sample.background else "",
        "seed": sample.seed,
    }


P = ParamSpec("P")


def _encode(
    column: str, encode: Callable[P, bytes], *arguments: P.args, **settings: P.kwargs
) -> bytes:
    with span(f"encode {column}"):
        return encode(*arguments, **settings)


def _image(data: bytes) -> dict[str, object]:
    return {"bytes": data, "path": None}
