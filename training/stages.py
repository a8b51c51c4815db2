"""The stages that train as a table: each is a row that its room makes, the loop knows no more.

The stage hdnet-predict-normals trains nothing: see `training.predict_normals`.
"""

from schemas.train_forms import StageName
from training.hdnet.hourglass_stages import HDNET_DEPTH_STAGE, HDNET_NORMAL_STAGE
from training.hdnet.video_stage import HDNET_VIDEO_STAGE
from training.loop.stage_types import AnyStage
from training.twok2k.person_stages import DEPTH_STAGE, NORMAL_STAGE

STAGES: dict[StageName, AnyStage] = {
    "2k2k-normal": NORMAL_STAGE,
    "2k2k-depth": DEPTH_STAGE,
    "hdnet-normal": HDNET_NORMAL_STAGE,
    "hdnet-depth": HDNET_DEPTH_STAGE,
    "hdnet-video": HDNET_VIDEO_STAGE,
}
