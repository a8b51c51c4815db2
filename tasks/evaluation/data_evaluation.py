"""Checkpoints on the samples of a data set: what is to do, each sample's figures, their sum.

OUT/items/<key>.json holds the figures of one sample and checkpoint. The key is a digest of all
that they depend on: while it stays the same, the sample is not done again.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
from pydantic import ValidationError

from schemas.atomic_files import write_atomically
from schemas.errors import InputError, RequestError, ScanmillError, StorageError
from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import (
    CheckpointResult,
    DataResult,
    EvaluateAnswer,
    Interval,
    ItemResult,
    Protocol,
)
from schemas.prediction import Method, PredictionJob, PredictionRequest, read_arrays, write_arrays
from schemas.regular_files import read_whole
from schemas.train_forms import DeviceChoice
from schemas.wording import shorten_text
from tasks.evaluation.data_items import DataItem, list_items, straightest_of_scans
from tasks.evaluation.evaluated_methods import METHODS, Predicted, method_of
from tasks.evaluation.mesh_evaluation import library_versions
from tasks.evaluation.shown_items import PAGE
from tasks.evaluation.tables import (
    CONFIDENCE,
    RESAMPLES,
    RESULT,
    TABLE,
    Column,
    resample,
    write_tables,
)
from tasks.reconstruction.checkpoint_card import CheckpointCard, read_card
from tasks.reconstruction.person_files import PUBLISHED_FACTOR

FIGURES_VERSION = 1
"""Raised when the same predictions would give other figures."""

ITEMS, PEOPLE = "items", "people"
MAX_RECORD_BYTES = 1 << 20
_ONE_ITEM_ALONE = (
    ScanmillError, MemoryError, cv2.error, ValueError, ArithmeticError, LookupError, OSError,
)  # fmt: skip
"""What a sample may fail of without the others; a full disk is no such thing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One checkpoint. title: how tables call it. normal: HDNet's normal estimator."""

    title: str
    path: Path
    card: CheckpointCard
    normal: Path | None = None

    @property
    def method(self) -> Method:
        """Which nets it is of."""
        return method_of(self.card.stage)

    @property
    def digest(self) -> str:
        """Digest of all weights."""
        return self.card.digest + (read_card(self.normal).digest if self.normal else "")


@dataclass(frozen=True, slots=True)
class ItemJob:
    """One sample for one checkpoint. work: folder of the arrays between the programs."""

    item: DataItem
    candidate: Candidate
    protocol: Protocol
    out: Path
    work: Path
    is_shown: bool = False

    @property
    def folder(self) -> Path:
        """Where its mesh and images are kept, where they are."""
        return self.out / PEOPLE / f"{self.item.sample_id.replace('/', '_')}-{self.key[:8]}"

    @property
    def key(self) -> str:
        """Digest of all that the figures depend on."""
        parts = {
            "version": FIGURES_VERSION, "protocol": self.protocol.model_dump(mode="json"),
            "weights": self.candidate.digest, "sample": self.item.sample_id,
            "shard": self.item.shard_sha256, "scan": self.item.scan is not None,
        }  # fmt: skip
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    @property
    def record(self) -> Path:
        """Where the figures are kept."""
        return self.out / ITEMS / f"{self.key}.json"

    @property
    def prediction(self) -> PredictionJob:
        """What the nets are asked to do."""
        stem = str(self.work / self.key)
        return PredictionJob(name=self.key, input=f"{stem}.in.npz", output=f"{stem}.out.npz")

    def read_record(self) -> ItemResult | None:
        """Read figures that are there already; None where there are none that can be read."""
        try:
            found = ItemResult.model_validate_json(read_whole(self.record, MAX_RECORD_BYTES))
        except (InputError, ValidationError):
            return None
        is_whole = not (self.is_shown and found.shown) or (self.folder / PAGE).is_file()
        is_kept = bool(found.shown) or not self.is_shown or bool(found.warnings)
        return found if is_whole and is_kept and not found.error else None

    def failure(self, error: BaseException | str) -> ItemResult:
        """Say why there are no figures."""
        said = error if isinstance(error, str) else str(error) or type(error).__name__
        return ItemResult(
            sample_id=self.item.sample_id, checkpoint=self.candidate.title, key=self.key,
            error=shorten_text(said, 400),
        )  # fmt: skip


def plan_jobs(request: EvaluateRequest, work: Path) -> list[ItemJob]:
    """List every sample for every checkpoint; raises RequestError where there is no sample."""
    protocol, out = request.protocol.protocol, Path(request.out)
    jobs = []
    for candidate in list_candidates(request):
        camera = METHODS[candidate.method].camera
        items = list_items(request.data, request.split, camera, request.max_items)
        shown = {item.sample_id for item in straightest_of_scans(items)[: request.shown]}
        jobs += [
            ItemJob(item, candidate, protocol, out, work, is_shown=item.sample_id in shown)
            for item in items
        ]
    return jobs


def list_candidates(request: EvaluateRequest) -> list[Candidate]:
    """Look at the checkpoints; titles are the ends of their paths that are unlike.

    Raises RequestError for HDNet's depth without its normal estimator.
    """
    normal = Path(request.normal_checkpoint) if request.normal_checkpoint else None
    parts = [Path(path).absolute().parts for path in dict.fromkeys(request.checkpoint)]
    length = next((k for k in range(1, 20) if len({one[-k:] for one in parts}) == len(parts)), 20)
    found = []
    for one in parts:
        card = read_card(Path(*one))
        own = normal if method_of(card.stage) == "hdnet" else None
        if method_of(card.stage) == "hdnet" and own is None:
            raise RequestError(
                "--normal-checkpoint", found=f"none, for weights of {card.stage}",
                expected="HDNet's normal estimator, which its depth estimator reads",
                hint="Give the folder of the stage hdnet-normal.",
            )  # fmt: skip
        found.append(Candidate("/".join(one[-length:]), Path(*one), card, own))
    return found


def ask_nets(jobs: Sequence[ItemJob], device: DeviceChoice) -> PredictionRequest:
    """Write what the program with the nets is asked; jobs: of one checkpoint, one at least."""
    candidate = jobs[0].candidate
    return PredictionRequest(
        method=candidate.method, checkpoint=str(candidate.path), device=device,
        normal_checkpoint=str(candidate.normal) if candidate.normal else None,
        jobs=tuple(job.prediction for job in jobs),
    )  # fmt: skip


def prepare_item(job: ItemJob) -> ItemResult | None:
    """Write what the nets read; returns why the sample fails, None where it is ready."""
    try:
        prepare = METHODS[job.candidate.method].prepare
        arrays = prepare(job.item.read(), job.candidate.card.resolution)
        write_arrays(Path(job.prediction.input), arrays)
    except StorageError:
        raise
    except _ONE_ITEM_ALONE as error:
        return job.failure(error)
    return None


def measure_item(job: ItemJob, refusal: str) -> ItemResult:
    """Measure what the nets wrote, and keep the figures; refusal: why they refused the sample."""
    try:
        result = job.failure(refusal) if refusal else _measure(job)
        write_atomically(job.record, result.model_dump_json(indent=1) + "\n")
    except StorageError:
        raise
    except _ONE_ITEM_ALONE as error:
        return job.failure(error)
    finally:
        for path in (job.prediction.input, job.prediction.output):
            Path(path).unlink(missing_ok=True)
    return result


def _measure(job: ItemJob) -> ItemResult:
    began, card = perf_counter(), job.candidate.card
    given = Predicted(
        job.item, job.item.read(), read_arrays(Path(job.prediction.output)), card.resolution,
        job.protocol, 1 / PUBLISHED_FACTOR if card.is_published else 1.0,
        job.folder if job.is_shown else None,
    )  # fmt: skip
    found = METHODS[job.candidate.method].score(given)
    return ItemResult(
        sample_id=job.item.sample_id, checkpoint=job.candidate.title, key=job.key,
        measures=found.measures, warnings=found.warnings,
        shown=job.folder.relative_to(job.out).as_posix() if found.is_shown else "",
        seconds=perf_counter() - began,
    )  # fmt: skip


def sum_up(
    request: EvaluateRequest, jobs: Sequence[ItemJob], results: Sequence[ItemResult]
) -> DataResult:
    """Put the figures of all checkpoints side by side, with intervals over the samples."""
    candidates = list(dict.fromkeys(job.candidate for job in jobs))
    return DataResult(
        data=request.data, split=request.split, protocol=request.protocol.protocol,
        items=tuple(dict.fromkeys(job.item.sample_id for job in jobs)),
        checkpoints=tuple(_sum_up_one(one, results, request.protocol.seed) for one in candidates),
        results=tuple(results), confidence=CONFIDENCE, resamples=RESAMPLES,
        versions=library_versions(),
    )  # fmt: skip


def find_finished_evaluation(request: EvaluateRequest) -> EvaluateAnswer | None:
    """Sum up when every sample has its figures already; None when any is left, or the files."""
    out = Path(request.out)
    if not request.is_of_data or not (out / RESULT).is_file():
        return None
    jobs = plan_jobs(request, out)
    results = [job.read_record() for job in jobs]
    found = [one for one in results if one is not None]
    if len(found) < len(jobs):
        return None
    files = write_data_result(out, result := sum_up(request, jobs, found))
    return EvaluateAnswer(files=tuple(map(str, files)), data=result)


def write_data_result(folder: Path, result: DataResult) -> tuple[Path, ...]:
    """Write evaluation.json and the tables; returns their paths."""
    write_atomically(folder / RESULT, result.model_dump_json(indent=1) + "\n")
    columns = [Column(one.title, one.measures) for one in result.checkpoints]
    return (folder / RESULT, *write_tables(folder, TABLE, columns))


def _sum_up_one(candidate: Candidate, results: Iterable[ItemResult], seed: int) -> CheckpointResult:
    own = [one for one in results if one.checkpoint == candidate.title]
    return CheckpointResult(
        title=candidate.title, path=str(candidate.path), digest=candidate.digest,
        measures={
            name: _interval([one for one in own if name in one.measures], name, seed)
            for name in dict.fromkeys(name for one in own for name in one.measures)
        },
        failed=sum(bool(one.error) for one in own),
    )  # fmt: skip


def _interval(results: Sequence[ItemResult], name: str, seed: int) -> Interval:
    items = ["/".join(one.sample_id.split("/")[:2]) for one in results]
    return resample([one.measures[name] for one in results], items, seed=seed, measure=name)
