"""How frames and pairs lie in their shard files."""

from schemas.frames import frame_schema, pair_schema
from tasks.dataset.shards import ShardFormat

FRAMES = ShardFormat(frame_schema(), "frame_id", ("frame_id", "video", "frame", "split"))
PAIRS = ShardFormat(pair_schema(), "pair_id", ("pair_id", "video", "frame_i", "frame_j"))
