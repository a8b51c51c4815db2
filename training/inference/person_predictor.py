"""2K2K in use: one image of a person to depth and normals of front and back.

Dimension letters: R the resolution, h and w of a crop.
Source: docs/reconstruction.md, "What the nets see".
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from schemas.body_parts import GROUPS, PARTS, group_members
from schemas.errors import InputError, RequestError
from schemas.keypoints import JOINT_COUNT
from schemas.prediction import part_array
from schemas.train_forms import DEPTH
from schemas.train_options import RESOLUTION_MULTIPLE
from training.inference.model_cards import read_settings
from training.inference.strips import refine_in_strips
from training.stages import STAGES
from training.twok2k.alignment import PartTransforms, complete_joints, fit_parts
from training.twok2k.augment import jitter_colors
from training.twok2k.person_nets import NormalPrediction, PersonDepthNets
from training.twok2k.surface_nets import DepthPrediction
from training.twok2k.targets import FRONT_BACKGROUND, normal_z, normals_from_depth
from training.weights import adopt_weights, read_weights

USE_FACTOR = 0.85
"""On brightness, contrast and saturation: the middle of what training draws from."""

MIN_SIDE = 256
WHITE = 255
Arrays = dict[str, np.ndarray]
Stopwatch = Callable[[str], None]
"""Takes the name of each stage when it ends."""


class PersonPredictor:
    """The nets of both phases, in evaluation mode, on a device."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Build the nets and load their weights; raises RequestError for those of phase 1."""
        settings = read_settings(checkpoint, DEPTH)
        weights = read_weights(checkpoint)
        if not any(name.startswith("refinement.") for name in weights):
            raise RequestError(
                "--checkpoint", found="weights without the refinement net",
                expected=f"weights of {DEPTH}, phase 2",
                hint=f"Train {DEPTH} from these weights, then give its folder.",
            )  # fmt: skip
        nets = STAGES[DEPTH].build(settings)
        if not isinstance(nets, PersonDepthNets):
            raise TypeError(type(nets).__name__)
        adopt_weights(nets, weights, source="--checkpoint")
        self._nets: PersonDepthNets = nets.to(device).eval()
        self._is_masked = settings.depth_loss == "masked"
        self._device = device

    @torch.inference_mode()
    def predict(self, arrays: Mapping[str, np.ndarray], stage: Stopwatch) -> Arrays:
        """Predict from image, mask and keypoints; see schemas.prediction.PredictionJob."""
        _check(arrays)
        keypoints = torch.from_numpy(arrays["keypoints"].astype(np.float32))[None]
        seen = prepare_image(arrays["image"], arrays["mask"]).to(self._device)
        side = seen.shape[-1]
        transforms = fit_parts(*complete_joints(keypoints.to(self._device), side))
        first = self._nets.normals(seen, transforms)
        stage("normals")
        depth, blended, start = self._nets.join_parts(first, transforms, side)
        refined = refine_in_strips(self._nets.refinement, depth, blended, start)
        if self._is_masked:  # such nets say nothing of what lies outside the person
            refined = _compose(refined, torch.from_numpy(arrays["mask"].astype(bool)))
        stage("depth")
        return {
            "front": _single(refined.front), "back": _single(refined.back),
            "mask": _half(refined.mask[0, 0]), "normals": _half(blended[0]),
            "consistency": _half(_consistency(refined, side)[0]),
            **_part_arrays(first, transforms),
        }  # fmt: skip


def prepare_image(
    image: UInt8[np.ndarray, "R R 3"], mask: Bool[np.ndarray, "R R"]
) -> Float[Tensor, "1 3 R R"]:
    """Return what the nets see: colours as in the middle of training, black outside the mask.

    Contrast lifts black, so the outside is blackened before and after.
    """
    inside = torch.from_numpy(mask.astype(bool))
    person = torch.from_numpy(image).permute(2, 0, 1)[None].float() / WHITE * inside
    factors = torch.full((1, 3), USE_FACTOR)
    return 2 * (jitter_colors(person, factors) * inside) - 1


def _compose(refined: DepthPrediction, mask: Bool[Tensor, "R R"]) -> DepthPrediction:
    """Keep the depths inside the photograph's mask, or inside the nets' own where none is known.

    Outside, front 6 and back 0. A mask that is True everywhere says nothing.
    """
    if bool(mask.all()):
        return refined.composed
    inside = mask.to(refined.front.device)
    front = torch.where(inside, refined.front, FRONT_BACKGROUND)
    return DepthPrediction(front, torch.where(inside, refined.back, 0), refined.mask_logit)


def _consistency(refined: DepthPrediction, side: int) -> Float[Tensor, "1 6 R R"]:
    """Return the normals of the predicted depth, 0 where the front is behind the back."""
    is_person = refined.front <= refined.back
    z = normal_z(side)
    both = (torch.where(is_person, depth, 0) for depth in (refined.front, refined.back))
    return torch.cat([normals_from_depth(depth, z) for depth in both], dim=1)


def _part_arrays(first: NormalPrediction, transforms: PartTransforms) -> Arrays:
    """Name the normals of every part that has a transform by its place among PARTS."""
    found: Arrays = {}
    for group in GROUPS:
        for crop, place in enumerate(group_members(group)):
            if bool(transforms.valid[0, place]):
                found[part_array(PARTS[place].name)] = _half(first.parts[group][0, crop])
    return found


def _check(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays of other shapes; raises InputError."""
    image, mask, keypoints = (arrays.get(name) for name in ("image", "mask", "keypoints"))
    side = 0 if image is None else image.shape[0]
    expected = {"image": (side, side, 3), "mask": (side, side), "keypoints": (JOINT_COUNT, 3)}
    for name, array in (("image", image), ("mask", mask), ("keypoints", keypoints)):
        if array is None or array.shape != expected[name]:
            raise _refuse(name, "nothing" if array is None else f"shape {array.shape}")
    if side < MIN_SIDE or side % RESOLUTION_MULTIPLE:
        raise _refuse("image", f"{side} pixels a side")


def _refuse(name: str, found: str) -> InputError:
    return InputError(
        name, found=found, hint="Prepare the photograph again.",
        expected=f"image, mask and 31 keypoints of a square of {MIN_SIDE} pixels or more, a "
        f"multiple of {RESOLUTION_MULTIPLE}",
    )  # fmt: skip


def _single(values: Float[Tensor, "1 1 R R"]) -> np.ndarray:
    plane: np.ndarray = values[0, 0].float().cpu().numpy()
    return plane


def _half(values: Tensor) -> np.ndarray:
    plane: np.ndarray = values.half().cpu().numpy()
    return plane
