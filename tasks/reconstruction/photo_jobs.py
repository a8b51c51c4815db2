"""The photographs of a run as jobs: which are done, which are to do."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.errors import InputError, ScanmillError, as_utf8
from schemas.file_status import is_readable_file
from schemas.prediction import PredictionJob, PredictionRequest
from schemas.reconstruct_request import ReconstructRequest
from schemas.regular_files import digest_regular_file
from tasks.reconstruction.checkpoint_card import CheckpointCard, read_card
from tasks.reconstruction.outcomes import PhotoOutcome, State
from tasks.reconstruction.photo_folder import digest_inputs, is_done
from tasks.reconstruction.photos import find_photos

BESIDE: dict[str, tuple[str, ...]] = {
    "keypoints": ("{}_keypoints.json", "{}.json"),
    "mask": ("{}.png", "{}_mask.png", "{}.jpg"),
    "densepose": ("{}.png", "{}_IUV.png"),
}
"""Names of a photograph's files in the folders of these options, NAME for {}; the first counts."""


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """One photograph of a run. final: its folder. made_of: digest of all that decides its files."""

    name: str
    path: Path
    final: Path
    made_of: str
    request: ReconstructRequest
    card: CheckpointCard
    work: Path | None = None

    @property
    def token(self) -> str:
        """Return what the nets call it: letters and digits, whatever its name is."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:16]

    @property
    def input(self) -> Path:
        """Return the archive that the nets read."""
        return (self.work or self.final) / f"{self.token}.input.npz"

    @property
    def output(self) -> Path:
        """Return the archive that the nets write."""
        return (self.work or self.final) / f"{self.token}.output.npz"

    @property
    def prediction(self) -> PredictionJob:
        """Return what the nets are asked to do."""
        return PredictionJob(name=self.token, input=str(self.input), output=str(self.output))

    def outcome(self, state: State, *, seconds: float = 0.0, reason: str = "") -> PhotoOutcome:
        """Say what became of it. reason: why it failed."""
        folder = "" if state == "failed" else as_utf8(str(self.final))
        return PhotoOutcome(
            name=self.name, photo=as_utf8(str(self.path)), state=state, folder=folder,
            reason=reason, seconds=seconds,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """All photographs of a run. known: outcomes that need no work, by name."""

    names: tuple[str, ...]
    jobs: tuple[PhotoJob, ...]
    known: dict[str, PhotoOutcome]


def plan_photos(request: ReconstructRequest) -> Plan:
    """Look at every photograph: done already, to do, or not readable. Decodes nothing.

    Raises RequestError when there are no photographs.
    """
    photos, card = find_photos(request.photos), read_card(Path(request.checkpoint))
    weights = card.digest
    if request.normal_checkpoint is not None:
        weights += read_card(Path(request.normal_checkpoint)).digest
    jobs, known = [], dict[str, PhotoOutcome]()
    for name, path in photos.items():
        job = PhotoJob(name, path, Path(request.out) / name, "", request, card)
        try:
            job = replace(job, made_of=_digest(path, request, weights))
        except ScanmillError as error:
            known[name] = job.outcome("failed", reason=str(error))
            continue
        if is_done(job.final, job.made_of):
            known[name] = job.outcome("already done")
        else:
            jobs.append(job)
    return Plan(tuple(photos), tuple(jobs), known)


def ask_nets(jobs: list[PhotoJob]) -> PredictionRequest:
    """Write what the program with the nets is asked; jobs: one at least."""
    request = jobs[0].request
    return PredictionRequest(
        method=request.method, checkpoint=request.checkpoint,
        normal_checkpoint=request.normal_checkpoint, device=request.device,
        jobs=tuple(job.prediction for job in jobs),
    )  # fmt: skip


def find_beside(path: Path, request: ReconstructRequest, option: str) -> Path:
    """Find the file of a photograph in an option's folder; raises InputError when it is missing."""
    folder, names = getattr(request, option), BESIDE[option]
    for name in names:
        found = Path(folder) / name.format(path.stem)
        if is_readable_file(found):
            return found
    raise InputError(
        str(path), found=f"no file of it in --{option} {folder}",
        expected=" or ".join(name.format(path.stem) for name in names),
        hint="Put the file there, or leave the option out.",
    )  # fmt: skip


def _digest(path: Path, request: ReconstructRequest, weights: str) -> str:
    beside = {}
    for option in BESIDE:
        if getattr(request, option) is not None:
            found = find_beside(path, request, option)
            beside[option] = digest_regular_file(found)[1]
    return digest_inputs(request, digest_regular_file(path)[1], beside, weights)
