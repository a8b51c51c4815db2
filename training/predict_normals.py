"""The stage hdnet-predict-normals: normals of video frames by a trained normal estimator.

Nothing is trained. Every rank predicts its share of the frames and leaves files of some frames
each, whole or absent: a repeated command predicts only what is missing. The data set itself is not
touched; `tasks.video.predicted_shards` commits. Source: docs/hdnet-dataset.md, "Predicted normals".
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Bool, Float32, UInt8
from torch import nn
from torch.nn.functional import normalize

from schemas.atomic_files import atomic_file, remove_leftovers, write_atomically
from schemas.codecs import encode_front_normals, encode_png
from schemas.errors import RequestError
from schemas.predicted_normals import PLAN_FILE, SCHEMA, PredictedShard, PredictionPlan
from schemas.train_request import TrainRequest
from schemas.work import map_in_threads
from training.data.frame_index import FrameShard, open_frame_shards
from training.data.shard_index import SampleAddress
from training.hdnet.hourglass_panels import WHITE, show_normals
from training.hdnet.hourglass_stages import build_normal_net
from training.hdnet.video_frames import ImageReader
from training.loop.distributed import choose_device, this_rank, this_world
from training.loop.sheets import draw_sheet
from training.run_settings import ModelSettings
from training.weights import adopt_weights, digest_weights, fit_weights, read_weights

SAMPLES = "samples"
Image = tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """A checked request. total: frames that will hold predictions of these weights in the end."""

    request: TrainRequest
    nets: nn.Module
    plan: PredictionPlan
    frames: dict[PredictedShard, FrameShard]
    total: int

    @property
    def out(self) -> Path:
        """The folder of the run."""
        return Path(self.request.out)

    @property
    def done(self) -> int:
        """Count the frames that are predicted, in shards or in files."""
        return self.total - self.plan.frames + self.plan.count_done(self.out)


def prepare_prediction(request: TrainRequest) -> Prediction:
    """Check weights and data sets; writes nothing.

    Raises RequestError for what no repetition would cure, InputError for unreadable weights.
    """
    request.check()
    _check_places(request)
    weights = read_weights(Path(request.init or ""))
    settings = ModelSettings(stage="hdnet-normal", resolution=256, width=request.width)
    nets = build_normal_net(settings)
    fit_weights(nets, weights, f"--init {request.init}")
    adopt_weights(nets, weights, f"--init {request.init}")
    digest = digest_weights(weights)
    shards = [(uri, shard) for uri in request.data for shard in open_frame_shards([uri])]
    if not shards:
        raise RequestError(
            ", ".join(request.data), found="no committed video", expected="frames of videos",
            hint="Run `scanmill pair --out` into it first.",
        )  # fmt: skip
    chosen = {
        planned: shard for uri, shard in shards if (planned := _plan_shard(uri, shard, digest))
    }
    plan = PredictionPlan(weights=digest, shards=tuple(chosen))
    kept = sum(len(shard.frames) for _, shard in shards if shard.predicted_by == digest)
    return Prediction(request, nets, plan, chosen, kept + plan.frames)


def describe_prediction(prediction: Prediction) -> dict[str, int | bool]:
    """Say how far it is: frames in all and done, and whether every shard holds its predictions."""
    finished = not prediction.plan.shards
    return {"steps": prediction.total, "done": prediction.done, "finished": finished}


def predict(prediction: Prediction) -> None:
    """Predict this rank's share of what is missing; the first rank writes the plan and speaks."""
    out, rank = prediction.out, this_rank()
    if rank == 0:
        write_atomically(out / PLAN_FILE, prediction.plan.model_dump_json(indent=1) + "\n")
    device = choose_device(prediction.request.device)
    nets = prediction.nets.to(device).eval()
    reader = ImageReader()
    for number, (path, addresses) in enumerate(_files(prediction)):
        if number % this_world() != rank or path.is_file():
            continue
        names, normals = _predict_file(prediction, nets, device, reader, addresses)
        remove_leftovers(path.parent)
        with atomic_file(path) as file:
            pq.write_table(pa.table([names, normals], schema=SCHEMA), file, compression="NONE")
        if rank == 0:
            print(f"step {prediction.done}/{prediction.total} frames", flush=True)  # noqa: T201


def predict_unit_normals(
    nets: nn.Module, image: Image, device: torch.device
) -> Float32[np.ndarray, "H W 3"]:
    """Return unit normals, 0 outside the mask. The image is a batch of its own to the norm."""
    color, mask = image
    with torch.no_grad():
        inputs = torch.from_numpy(color).to(device).permute(2, 0, 1)[None].float()
        unit = normalize(nets(inputs), dim=1)[0].permute(1, 2, 0).cpu().numpy()
    normals: Float32[np.ndarray, "H W 3"] = unit * mask[..., None]
    return normals


def _predict_file(
    prediction: Prediction,
    nets: nn.Module,
    device: torch.device,
    reader: ImageReader,
    addresses: Sequence[SampleAddress],
) -> tuple[list[str], list[bytes]]:
    """Return names and encoded normals of the frames of one file; images are read ahead."""
    encoded: list[Future[bytes]] = []
    with ThreadPoolExecutor(1) as encoder:
        images = map_in_threads(reader.read, addresses, threads=prediction.request.workers)
        for address, image in zip(addresses, images, strict=True):
            normals = predict_unit_normals(nets, image, device)
            if not encoded and this_rank() == 0:
                _show(prediction.out, address.sample_id, image, normals)
            encoded.append(encoder.submit(encode_front_normals, normals, image[1]))
        return [one.sample_id for one in addresses], [one.result() for one in encoded]


def _files(prediction: Prediction) -> Iterator[tuple[Path, list[SampleAddress]]]:
    """Yield every file of the plan, with the frames that it holds."""
    for planned, shard in prediction.frames.items():
        for path, rows in prediction.plan.files_of(prediction.out, planned):
            yield path, [shard.frames[row] for row in rows]


def _plan_shard(uri: str, shard: FrameShard, weights: str) -> PredictedShard | None:
    """Choose the frames without normals, or all where other weights predicted them."""
    if shard.predicted_by == weights:
        return None
    rows = shard.bare if shard.predicted_by is None else tuple(range(len(shard.frames)))
    if not rows:
        return None
    return PredictedShard(
        uri=uri, shard_id=shard.file.shard_id, sha256=shard.file.sha256, rows=rows
    )


def _show(out: Path, name: str, image: Image, normals: Float32[np.ndarray, "H W 3"]) -> None:
    """Write the image beside its normals."""
    color, mask, directions = (torch.from_numpy(values) for values in (*image, normals))
    panels = {
        "picture": color.permute(2, 0, 1)[None] / WHITE,
        "normal": show_normals(directions.permute(2, 0, 1)[None], mask[None, None]),
    }
    path = out / SAMPLES / f"{name.replace('/', '-')}.png"
    write_atomically(path, encode_png(draw_sheet(panels)))


def _check_places(request: TrainRequest) -> None:
    """Refuse data sets that can't be written; raises RequestError."""
    for uri in request.data:
        if "://" in uri and not uri.startswith("file://"):
            raise RequestError(
                uri, found="a data set in an object store", expected="a folder",
                hint="Predicted normals are written into the data set: give a copy on a disk.",
            )  # fmt: skip
