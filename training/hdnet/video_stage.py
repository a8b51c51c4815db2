"""HDNet's third stage: depth from labelled samples and from pairs of video frames without labels.

Dimension letters: B samples and pairs, C channels, H rows, W columns.
Source: docs/losses.md, "HDNet on video".
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor, nn

from schemas.train_forms import DepthNormals
from training.hdnet.facets import facets_of_normals, place_people
from training.hdnet.hourglass_examples import LabelledExamples
from training.hdnet.hourglass_losses import (
    IN_PLACE,
    angle_loss,
    depth_normal_loss,
    normals_from_depth,
)
from training.hdnet.hourglass_panels import hdnet_depth_panels, show_depth, show_normals
from training.hdnet.hourglass_stages import (
    CONVENTIONS,
    build_depth_net,
    hdnet_depth_measures,
    hdnet_depth_objective,
    prepare_depth,
    stack_inputs,
)
from training.hdnet.joint_samples import (
    JointBatch,
    JointReader,
    JointSample,
    PairBatch,
    open_joint_index,
)
from training.hdnet.labelled_samples import LABELLED_WITH_IUV
from training.hdnet.video_frames import FrameBatch
from training.hdnet.warping_loss import PairMatches, warping_loss
from training.loop.stage_types import Examples, Panels, Stage, Sums, Terms
from training.run_settings import ModelSettings

WARPING_WEIGHT = 5
WHITE = 255


@dataclass(frozen=True, slots=True)
class FrameExamples(Examples):
    """One frame of each pair. inputs: RGB 0..255, predicted normals, V, U, I.

    shift_m: by how much the reader's 4 m are farther than the person is taken to be.
    """

    inputs: Float[Tensor, "B 9 H W"]
    mask: Bool[Tensor, "B 1 H W"]
    shift_m: Float[Tensor, "B 1 1 1"]
    K: Float[Tensor, "B 3 3"]

    @property
    def normals(self) -> Float[Tensor, "B 3 H W"]:
        """The predicted normals."""
        return self.inputs[:, 3:6]


@dataclass(frozen=True, slots=True)
class PairExamples(Examples):
    """Both frames of each pair, and the matches."""

    frame_i: FrameExamples
    frame_j: FrameExamples
    matches: PairMatches


@dataclass(frozen=True, slots=True)
class JointExamples(Examples):
    """Labelled samples, and pairs in training."""

    labelled: LabelledExamples
    pairs: PairExamples | None


@dataclass(frozen=True, slots=True)
class JointDepth:
    """Depth of the labelled samples and of both frames of the pairs, metres, around 4."""

    labelled: Float[Tensor, "B 1 H W"]
    frames: tuple[Float[Tensor, "B 1 H W"], Float[Tensor, "B 1 H W"]] | None


def prepare_joint(batch: JointBatch, settings: ModelSettings) -> JointExamples:
    """Make the inputs of the depth net, for samples and frames."""
    labelled = prepare_depth(batch.labelled, settings)
    pairs = None if batch.pairs is None else _prepare_pairs(batch.pairs)
    return JointExamples(batch.sample_ids, labelled, pairs)


def predict_joint(nets: nn.Module, examples: JointExamples) -> JointDepth:
    """Run the net on samples and on both frames in turn: each is a batch of its own to the norm."""
    labelled = nets(examples.labelled.inputs)
    pairs = examples.pairs
    frames = None if pairs is None else (nets(pairs.frame_i.inputs), nets(pairs.frame_j.inputs))
    return JointDepth(labelled, frames)


def hdnet_video_objective(
    prediction: JointDepth, examples: JointExamples, settings: ModelSettings
) -> Terms:
    """Return the depth estimator's terms and, with pairs, those of both frames and the warping."""
    terms = hdnet_depth_objective(prediction.labelled, examples.labelled, settings)
    pairs = examples.pairs
    if pairs is None or prediction.frames is None:
        return terms
    (depth_i, depth_j), form = prediction.frames, settings.depth_normals
    ends = ((depth_i, pairs.frame_i), (depth_j, pairs.frame_j))
    placed_i, placed_j = (_put_back(depth, frame, form) for depth, frame in ends)
    warping = warping_loss(placed_i, placed_j, pairs.frame_i.K, pairs.frame_j.K, pairs.matches)
    angles = [frame_normal_loss(depth, frame, form) for depth, frame in ends]
    return terms | {"video_normal": angles[0] + angles[1], "warping": WARPING_WEIGHT * warping}


def frame_normal_loss(
    depth_m: Float[Tensor, "B 1 H W"], frame: FrameExamples, form: DepthNormals
) -> Float[Tensor, ""]:
    """Return the mean angle between the normals of a frame's depth and the predicted ones, radians.

    from_depth: compared with the facets that the predicted normals lead to.
    """
    if form != "from_depth":
        return depth_normal_loss(depth_m, frame.normals, frame.mask, frame.shift_m, form=form)
    facets, sound = facets_of_normals(frame.normals, frame.mask)
    return angle_loss(normals_from_depth(depth_m - frame.shift_m), facets, sound)


def hdnet_video_measures(
    prediction: JointDepth, examples: JointExamples, settings: ModelSettings
) -> Sums:
    """Measure the labelled samples as the depth estimator's stage does."""
    return hdnet_depth_measures(prediction.labelled, examples.labelled, settings)


def hdnet_video_panels(
    prediction: JointDepth, examples: JointExamples, settings: ModelSettings
) -> Panels:
    """Show the labelled samples, then frame i with its predicted normals and the depth's own."""
    panels = hdnet_depth_panels(prediction.labelled, examples.labelled, settings)
    if examples.pairs is None or prediction.frames is None:
        return panels
    frame, depth_m = examples.pairs.frame_i, prediction.frames[0]
    own = normals_from_depth(depth_m - frame.shift_m)
    return panels | {
        "frame": frame.inputs[:, :3] / WHITE,
        "frame's predicted normal": show_normals(frame.normals, frame.mask),
        "frame's normal of depth": show_normals(own, frame.mask),
        "frame's depth": show_depth(depth_m, frame.mask),
    }


def _put_back(
    depth_m: Tensor, frame: FrameExamples, form: DepthNormals
) -> Float[Tensor, "B 1 H W"]:
    """Return depth where the person is taken to be, or at 4 m in the published manner."""
    return depth_m - frame.shift_m if form in IN_PLACE else depth_m


def _prepare_pairs(batch: PairBatch) -> PairExamples:
    frame_i, frame_j = _prepare_frame(batch.frame_i), _prepare_frame(batch.frame_j)
    return PairExamples(batch.sample_ids, frame_i, frame_j, batch.matches)


def _prepare_frame(batch: FrameBatch) -> FrameExamples:
    inputs = stack_inputs(batch.image, batch.normals, batch.densepose)
    return FrameExamples(batch.sample_ids, inputs, batch.mask, place_people(batch.mask), batch.K)


def _read_joint(settings: ModelSettings, with_stored: bool) -> JointReader:
    del settings, with_stored  # HDNet's images have a white ground
    return JointReader()


HDNET_VIDEO_STAGE: Stage[JointSample, JointBatch, JointExamples, JointDepth] = Stage(
    LABELLED_WITH_IUV, build_depth_net, CONVENTIONS, _read_joint, prepare_joint, predict_joint,
    hdnet_video_objective, hdnet_video_measures, hdnet_video_panels, open_joint_index,
)  # fmt: skip
