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


@dataclass(frozen=True, slots=True)
class FrameFacts:
    """What the first look shows of a usable frame. size: height, width."""

    files: FrameFiles
    size: tuple[int, int]
    box: Box
    order: IuvOrder


@dataclass(frozen=True, slots=True)
class Survey:
    """The usable frames of a sequence with their crops, and why others are not."""

    frames: tuple[tuple[FrameFiles, Crop], ...]
    failures: tuple[Failure, ...] = field(default=())


def survey_sequence(sequence: Sequence, settings: PairSettings) -> Survey:
    """Look at mask and IUV of every frame.

    Raises InputError when frames of one sequence have different channel orders.
    """
    usable: list[FrameFacts] = []
    failures: list[Failure] = []
    for files in sequence.frames:
        try:
            facts = look_at_frame(files)
            _refuse_other_size(facts, usable)
            usable.append(facts)
        except ScanmillError as error:
            failures.append(Failure.of(frame_id(sequence.video, files.number), error))
    _refuse_mixed_orders(sequence, usable)
    frames = zip((facts.files for facts in usable), _choose_crops(usable, settings), strict=True)
    return Survey(tuple(frames), tuple(failures))


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
    return FrameFacts(files, (height, width), box_of(mask), iuv.order)


def _refuse_other_size(facts: FrameFacts, before: list[FrameFacts]) -> None:
    if before and before[0].size != facts.size:
        raise InputError(
            str(facts.files.images["mask"]), found=_size(facts.size),
            expected=f"{_size(before[0].size)}, as frame {before[0].files.number} has it",
            hint="Keep videos of different sizes in folders of their own.",
        )  # fmt: skip


def _refuse_mixed_orders(sequence: Sequence, usable: list[FrameFacts]) -> None:
    orders = Counter(facts.order for facts in usable)
    if len(orders) > 1:
        (usual, _), (rare, count) = orders.most_common()
        first = next(facts.files for facts in usable if facts.order == rare)
        raise InputError(
            str(first.images["densepose"]),
            found=f"channel order {rare}, as in {count} frames of {sequence.video}",
            expected=f"one order within a sequence; the other {orders[usual]} have {usual}",
            hint="Write all IUV images of the sequence in one order.",
        )


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
