"""A first look at every frame of a sequence: what can be used, in which order, cropped how.

Colour is not decoded here; a frame whose colour can't be read fails when it is made.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.errors import InputError, ScanmillError
from schemas.frames import frame_id
from schemas.manifest import Failure
from schemas.pairing import FRAME_SIDE_PX, PairSettings
from tasks.video.cropping import WHOLE, Box, Crop, box_of, choose_crop
from tasks.video.images import IuvOrder, read_iuv, read_mask
from tasks.video.sequences import FrameFiles, Sequence

MIN_HELD = 0.5
"""Share of the IUV's body that must lie inside the mask: an inverted mask holds next to none."""


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What the first look shows of a usable frame.

    size: height, width. order: of the IUV's channels. held: share of the IUV's body that the mask
    holds.
    """

    files: FrameFiles
    size: tuple[int, int]
    box: Box
    order: IuvOrder
    held: float


@dataclass(frozen=True, slots=True)
class Survey:
    """The usable frames of a sequence with their crops, why others are not, what is odd."""

    frames: tuple[tuple[FrameFiles, Crop], ...]
    failures: tuple[Failure, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())


def survey_sequence(sequence: Sequence, settings: PairSettings) -> Survey:
    """Look at mask and IUV of every frame.

    A frame whose IUV channels are in another order than those of most is not used. Raises
    InputError when the sequence has no frame, or as many frames of one order as of the other.
    """
    if not sequence.frames:
        raise InputError(
            str(sequence.folder), found="no image in color, densepose and mask",
            expected="images named by the number of their frame, as color/0000001.png",
            hint="Put the frames there, or take the folder away.",
        )  # fmt: skip
    usable: list[FrameFacts] = []
    failures: list[Failure] = []
    for files in sequence.frames:
        try:
            facts = look_at_frame(files)
            _refuse_other_size(facts, usable)
            usable.append(facts)
        except ScanmillError as error:
            failures.append(Failure.of(frame_id(sequence.video, files.number), error))
    usable, others = _split_by_order(sequence, usable)
    frames = zip((facts.files for facts in usable), _choose_crops(usable, settings), strict=True)
    failures = sorted((*failures, *others), key=lambda failure: failure.sample_id)
    return Survey(tuple(frames), tuple(failures), tuple(_doubt_masks(sequence, usable)))


def look_at_frame(files: FrameFiles) -> FrameFacts:
    """Look at mask and IUV of one frame; raises InputError naming the file at fault."""
    if files.missing:
        names = " and ".join(path.parent.name for path in files.missing)
        raise InputError(
            str(files.missing[0]), found=f"no image in {names}",
            expected="color, densepose and mask of every frame",
            hint="Put the image there, or take the frame's other images out.",
        )  # fmt: skip
    mask, iuv = read_mask(files.images["mask"]), read_iuv(files.images["densepose"])
    if mask.shape != iuv.iuv.shape[:2]:
        raise InputError(
            str(files.images["densepose"]), found=_size(iuv.iuv.shape),
            expected=f"{_size(mask.shape)}, the size of the mask",
            hint="Make all images of a frame of one size.",
        )  # fmt: skip
    if not mask.any():
        raise InputError(
            str(files.images["mask"]), found="an empty mask", expected="a person above level 100",
            hint="Leave the frame out.",
        )  # fmt: skip
    height, width = mask.shape
    held = float(mask[iuv.iuv[..., 0] > 0].mean())
    return FrameFacts(files, (height, width), box_of(mask), iuv.order, held)


def _refuse_other_size(facts: FrameFacts, before: list[FrameFacts]) -> None:
    if before and before[0].size != facts.size:
        raise InputError(
            str(facts.files.images["mask"]), found=_size(facts.size),
            expected=f"{_size(before[0].size)}, as frame {before[0].files.number} has it",
            hint="Keep videos of different sizes in folders of their own.",
        )  # fmt: skip


def _split_by_order(
    sequence: Sequence, usable: list[FrameFacts]
) -> tuple[list[FrameFacts], list[Failure]]:
    """Part the frames whose channels are in the usual order from the others, which fail."""
    counts = Counter(facts.order for facts in usable).most_common()
    if len(counts) < 2:  # noqa: PLR2004 - the two orders
        return usable, []
    (usual, count), (rare, rare_count) = counts
    if count == rare_count:
        raise InputError(
            str(sequence.folder),
            found=f"IUV images of {count} frames in each of the orders {usual} and {rare}",
            expected="one order within a sequence",
            hint="Write all IUV images of the sequence in one order.",
        )
    failures = [
        Failure.of(
            frame_id(sequence.video, facts.files.number),
            InputError(
                str(facts.files.images["densepose"]), found=f"channel order {rare}",
                expected=f"{usual}, as in the other {count} frames of {sequence.video}",
                hint="Write the IUV image again in that order.",
            ),
        )
        for facts in usable
        if facts.order == rare
    ]  # fmt: skip
    return [facts for facts in usable if facts.order == usual], failures


def _doubt_masks(sequence: Sequence, usable: list[FrameFacts]) -> Iterator[str]:
    """Say which masks contradict their IUV, naming the frames."""
    for facts in usable:
        if facts.held < MIN_HELD:
            name = frame_id(sequence.video, facts.files.number)
            yield f"{name}: the mask holds {facts.held:.0%} of the IUV's body: is it inverted?"


def _choose_crops(usable: list[FrameFacts], settings: PairSettings) -> Iterator[Crop]:
    boxes = [facts.box for facts in usable]
    if settings.crop == "sequence" and boxes:
        whole = boxes[0]
        for box in boxes[1:]:
            whole = whole.joined(box)
        boxes = [whole] * len(boxes)
    for facts, box in zip(usable, boxes, strict=True):
        height, width = facts.size
        if facts.size == (FRAME_SIDE_PX, FRAME_SIDE_PX):
            yield WHOLE
        else:
            yield choose_crop(box, height=height, width=width, fill=settings.crop_fill)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} pixels"
