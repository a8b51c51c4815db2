import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from schemas.codecs import encode_depth, encode_jpeg, encode_png
from schemas.errors import InputError, RequestError
from schemas.request_base import make_request
from schemas.train_request import TrainRequest
from training.data.augmentation_sampler import AugmentationSampler
from training.data.background_pool import BackgroundPool, open_backgrounds
from training.data.loader import Loader
from training.data.sample_order import InTurn, Order
from training.data.shard_index import ShardIndex, open_index
from training.request import check_resolution, prepare_run
from training.twok2k.person_examples import make_image
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader, PersonSample


def open_loader(
    index: ShardIndex,
    *,
    limit: int = 0,
    sampler: AugmentationSampler | None = None,
    resolution: int = 256,
) -> Loader[PersonSample, PersonBatch]:
    samples = index.of_splits(["train"])
    return Loader(
        PersonReader(resolution, with_stored=True),
        samples,
        Order(len(samples), 0, 0, 1, 2),
        sampler or AugmentationSampler(0),
        workers=2,
        max_bad_samples=limit,
    )


def rewrite(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = change(pq.read_table(path))
    pq.write_table(table, path, row_group_size=1, compression="none")


def spoil_depth(table: pa.Table) -> pa.Table:
    place = table.column_names.index("depth")
    spoilt = [b"no image", *table.column("depth").to_pylist()[1:]]
    return table.set_column(place, table.field(place), pa.array(spoilt, pa.binary()))


def test_only_committed_shards_are_read(dataset: Path, tmp_path: Path) -> None:
    for shard in ("shard-00000", "shard-00001"):
        for name in (f"samples/{shard}.parquet", f"manifests/samples/{shard}.json"):
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(dataset / name)
    (tmp_path / "manifests/samples/shard-00001.json").unlink()
    assert len(open_index([str(tmp_path)], PEOPLE_2K2K).samples) == 3


def test_splits_are_those_of_the_data(dataset: Path) -> None:
    index = open_index([str(dataset)], PEOPLE_2K2K)
    assert [len(index.of_splits([split])) for split in ("train", "val", "test")] == [4, 2, 0]


@pytest.mark.parametrize("missing", ["depth", "keypoints", "split"])
def test_a_missing_column_is_refused_by_name(
    make_dataset: Callable[..., Path], tmp_path: Path, missing: str
) -> None:
    root = make_dataset(tmp_path, train=1, val=0, shards=1)
    rewrite(root / "samples/shard-00000.parquet", lambda table: table.drop_columns([missing]))
    with pytest.raises(RequestError, match=f"no column {missing}"):
        open_index([str(root)], PEOPLE_2K2K)


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no such folder"):
        open_index([str(tmp_path / "nothing")], PEOPLE_2K2K)


def test_a_folder_without_shards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no committed shard"):
        open_index([str(tmp_path)], PEOPLE_2K2K)


def test_another_camera_alone_is_refused_by_its_name(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path, train=1, val=0, shards=1)

    def change(table: pa.Table) -> pa.Table:
        place = table.column_names.index("camera")
        return table.set_column(place, table.field(place), pa.array(["hdnet"]))

    rewrite(root / "samples/shard-00000.parquet", change)
    with pytest.raises(RequestError, match="samples of camera hdnet only"):
        open_index([str(root)], PEOPLE_2K2K)


def test_data_sets_of_two_sizes_are_refused(
    dataset: Path, make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    other = make_dataset(tmp_path, resolution=128, train=1, val=0, shards=1)
    with pytest.raises(RequestError, match="samples 128 and 256 pixels wide"):
        open_index([str(dataset), str(other)], PEOPLE_2K2K)


def test_a_sample_that_stands_there_twice_is_refused(dataset: Path) -> None:
    with pytest.raises(RequestError, match="rp_train_posed_000/0 twice"):
        open_index([str(dataset), str(dataset)], PEOPLE_2K2K)


def test_a_cut_shard_is_named(make_dataset: Callable[..., Path], tmp_path: Path) -> None:
    root = make_dataset(tmp_path, train=1, val=0, shards=1)
    path = root / "samples/shard-00000.parquet"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"shard-00000\.parquet: can't be read"):
        open_index([str(root)], PEOPLE_2K2K)


def test_a_sample_is_decoded_as_it_was_written(dataset: Path) -> None:
    address = open_index([str(dataset)], PEOPLE_2K2K).of_splits(["train"])[0]
    sample = PersonReader(256, with_stored=True).read(address)
    middle = (sample.front[128, 128], sample.back[128, 128])
    # The first ellipsoid: half axis 0.08 along the ray through the centre, at distance 1.
    assert middle == pytest.approx((0.92, 1.08), abs=1e-3)
    assert sample.focal_px == pytest.approx(256 / (2 * np.tan(np.radians(25))))
    assert sample.keypoints_px[0].tolist() == pytest.approx(
        [128, 128 - 0.27 * sample.focal_px, 1], rel=1e-5
    )


def test_half_the_resolution_keeps_depth_and_moves_pixels(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path, resolution=512, train=1, val=0, shards=1)
    address = open_index([str(root)], PEOPLE_2K2K).samples[0]
    whole = PersonReader(512, with_stored=False).read(address)
    half = PersonReader(256, with_stored=False).read(address)
    assert half.focal_px == whole.focal_px / 2
    np.testing.assert_allclose(half.keypoints_px[:, :2], whole.keypoints_px[:, :2] / 2)
    np.testing.assert_array_equal(half.front, whole.front[::2, ::2])


@pytest.mark.parametrize("resolution", [384, 1024])
def test_a_resolution_that_the_data_cannot_give_is_refused(resolution: int) -> None:
    with pytest.raises(RequestError, match=f"--resolution {resolution}: samples 512 pixels wide"):
        check_resolution(512, resolution)


def test_a_resume_continues_at_the_exact_sample(dataset: Path) -> None:
    index = open_index([str(dataset)], PEOPLE_2K2K)
    whole = [batch.sample_ids for batch in open_loader(index).batches(0, 5)]
    resumed = [batch.sample_ids for batch in open_loader(index).batches(3, 5)]
    assert resumed == whole[3:]


def test_two_readings_of_a_batch_are_equal_to_the_bit(dataset: Path) -> None:
    index = open_index([str(dataset)], PEOPLE_2K2K)
    images = [make_image(next(open_loader(index).batches(1, 2))) for _ in range(2)]
    assert torch.equal(images[0], images[1])


def test_epochs_vary_the_colours_of_a_sample(dataset: Path) -> None:
    batches = list(open_loader(open_index([str(dataset)], PEOPLE_2K2K)).batches(0, 4))
    seen: dict[str, list[list[float]]] = {}
    for batch in batches:
        assert batch.jitter is not None
        for name, factors in zip(batch.sample_ids, batch.jitter.tolist(), strict=True):
            seen.setdefault(name, []).append(factors)
    assert all(first != second for first, second in seen.values())


def test_without_augmentation_the_image_is_the_stored_one(dataset: Path) -> None:
    index = open_index([str(dataset)], PEOPLE_2K2K)
    samples = index.of_splits(["val"])
    reader = PersonReader(256, with_stored=True)
    loader = Loader(reader, samples, InTurn(0, 1), AugmentationSampler(), workers=1)
    batch = next(loader.batches(0, 1))
    stored = reader.read(samples[0]).stored
    assert stored is not None
    np.testing.assert_allclose(
        make_image(batch)[0].permute(1, 2, 0).numpy(), stored / np.float32(255)
    )


def test_an_undecodable_sample_stops_the_run_and_is_named(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path, train=2, val=0, shards=1)
    rewrite(root / "samples/shard-00000.parquet", spoil_depth)
    with pytest.raises(InputError, match=r"sample RP/rp_train_posed_000/0: OpenEXR"):
        list(open_loader(open_index([str(root)], PEOPLE_2K2K)).batches(0, 1))


def test_up_to_the_limit_an_undecodable_sample_is_replaced_and_counted(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path, train=2, val=0, shards=1)
    rewrite(root / "samples/shard-00000.parquet", spoil_depth)
    loader = open_loader(open_index([str(root)], PEOPLE_2K2K), limit=1)
    batch = next(loader.batches(0, 1))
    assert batch.sample_ids == ("RP/rp_train_posed_001/0",) * 2
    assert loader.bad_samples == ["RP/rp_train_posed_000/0"]


def list_backgrounds(root: Path, images: Path, sizes: list[tuple[int, int]]) -> None:
    entries = []
    for number, (width, height) in enumerate(sizes):
        name = f"room{number}.jpg"
        flat = np.full((height, width, 3), 40 * (number + 1), np.uint8)
        images.mkdir(exist_ok=True)
        (images / name).write_bytes(encode_jpeg(flat, 95))
        entries.append({"path": name, "sha256": "0", "width": width, "height": height})
    (root / "backgrounds.json").write_text(json.dumps({"pictures": entries}))


def test_fresh_backgrounds_are_of_half_the_resolution_and_from_the_list(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "data", train=2, val=0, shards=1)
    list_backgrounds(root, tmp_path / "rooms", [(1500, 1024), (1024, 600)])
    index = open_index([str(root)], PEOPLE_2K2K)
    pool = open_backgrounds(index.datasets, tmp_path / "rooms", 256)
    batch = next(open_loader(index, sampler=AugmentationSampler(0, pool)).batches(0, 1))
    assert batch.background is not None
    assert batch.background.shape == (2, 128, 128, 3)
    # The second image is too small to be enlarged twofold and cropped to 2048.
    assert set(batch.background.unique().tolist()) <= {0, 39, 40, 41}


def test_decoded_backgrounds_are_kept_up_to_a_limit_and_drawn_the_same(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "data", train=1, val=0, shards=1)
    list_backgrounds(root, tmp_path / "rooms", [(1024, 1024)] * 3)
    datasets = open_index([str(root)], PEOPLE_2K2K).datasets
    whole = open_backgrounds(datasets, tmp_path / "rooms", 256)
    narrow = BackgroundPool(tmp_path / "rooms", whole.images, 256, max_kept_bytes=1)
    draws = [
        [pool.draw(np.random.default_rng(seed)).mean() for seed in range(20)]
        for pool in (whole, narrow)
    ]
    assert draws[0] == draws[1]
    assert len(set(draws[0])) == 4  # three rooms and black
    assert narrow.kept == 1


def test_one_in_ten_fresh_backgrounds_is_black(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "data", train=1, val=0, shards=1)
    list_backgrounds(root, tmp_path / "rooms", [(1024, 1024)])
    pool = open_backgrounds(open_index([str(root)], PEOPLE_2K2K).datasets, tmp_path / "rooms", 256)
    random = np.random.default_rng(0)
    black = sum(not pool.draw(random).any() for _ in range(1000))
    assert 70 < black < 130


@pytest.mark.parametrize(("given", "complaint"), [(False, "no --backgrounds"), (True, "no backgr")])
def test_fresh_backgrounds_without_images_are_refused(
    dataset: Path, tmp_path: Path, given: bool, complaint: str
) -> None:
    with pytest.raises(RequestError, match=complaint):
        open_backgrounds(
            open_index([str(dataset)], PEOPLE_2K2K).datasets, tmp_path if given else None, 256
        )


def spoil(table: pa.Table, column: str, value: object) -> pa.Table:
    """Put a value into the first row."""
    place = table.column_names.index(column)
    values = [value, *table.column(column).to_pylist()[1:]]
    return table.set_column(place, table.field(place), pa.array(values, table.field(place).type))


def depth_of(value: float) -> bytes:
    """Encode a person whose depth is right but for one pixel."""
    front = np.ones((256, 256), np.float32)
    front[9, 9] = value
    return encode_depth(front, np.ones_like(front), np.ones((256, 256), bool))


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("depth", depth_of(math.nan), "front depth with values that are no finite numbers"),
        ("depth", depth_of(math.inf), "front depth with values that are no finite numbers"),
        ("depth", depth_of(1e30), r"front depth from 1 to 1e\+30; expected 0 to 4"),
        ("depth", depth_of(-1), "front depth from -1 to 1; expected 0 to 4"),
        ("keypoints", [math.nan] * 93, "keypoints with values that are no finite numbers"),
        ("keypoints", [1e9] * 93, r"keypoints from 1e\+09 to 1e\+09"),
        ("metres_per_unit", 0.0, "metres_per_unit from 0 to 0"),
        ("intrinsics", [-1.0] * 9, "intrinsics from -1 to -1"),
        (
            "shaded", {"bytes": encode_png(np.zeros((9, 8, 3), np.uint8)), "path": None},
            "image of 8 x 9 pixels; expected 256 x 256",
        ),
        ("shaded", None, "Type(Check)?Error"),
    ],
)  # fmt: skip
def test_what_no_sample_may_hold_stops_the_run_and_names_the_sample(
    make_dataset: Callable[..., Path], tmp_path: Path, column: str, value: object, complaint: str
) -> None:
    root = make_dataset(tmp_path, train=1, val=0, shards=1)
    rewrite(root / "samples/shard-00000.parquet", lambda table: spoil(table, column, value))
    loader = open_loader(open_index([str(root)], PEOPLE_2K2K))
    with pytest.raises(InputError, match=f"sample RP/rp_train_posed_000/0: .*{complaint}"):
        next(loader.batches(0, 1))


@pytest.mark.parametrize(
    ("sizes", "options", "expected"),
    [
        ([(1024, 1024)], {}, "fresh"),
        ([(1024, 1024)], {"background": "stored"}, "stored"),
        ([(600, 600)], {}, "stored"),
        ([(1024, 1024)], {"backgrounds": None}, "stored"),
    ],
)
def test_backgrounds_vary_by_themselves_where_there_are_images_for_it(
    make_dataset: Callable[..., Path],
    tmp_path: Path,
    sizes: list[tuple[int, int]],
    options: dict[str, str | None],
    expected: str,
) -> None:
    root = make_dataset(tmp_path / "data", train=1, val=0, shards=1)
    list_backgrounds(root, tmp_path / "rooms", sizes)
    values = {"backgrounds": str(tmp_path / "rooms"), **options}
    prepared = prepare_run(
        make_request(
            TrainRequest,
            {"stage": "2k2k-normal", "data": [str(root)], "out": str(tmp_path / "out"), **values},
        )
    )
    assert prepared.data.background == expected
    assert (prepared.pool is not None) == (expected == "fresh")


def test_without_jitter_the_person_as_drawn_stands_before_a_fresh_background(
    make_dataset: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_dataset(tmp_path / "data", train=2, val=0, shards=1)
    list_backgrounds(root, tmp_path / "rooms", [(1024, 1024)])
    index = open_index([str(root)], PEOPLE_2K2K)
    pool = open_backgrounds(index.datasets, tmp_path / "rooms", 256)
    loader = open_loader(index, sampler=AugmentationSampler(1, pool, jitter=False))
    batch = next(loader.batches(0, 1))
    image = 255 * make_image(batch)
    deep = batch.front[:, :, 100:156, 120:136] > 0
    assert bool(deep.all())
    torch.testing.assert_close(
        image[..., 100:156, 120:136],
        batch.shaded.permute(0, 3, 1, 2)[..., 100:156, 120:136].float(),
        atol=1e-3, rtol=0,
    )  # fmt: skip
    assert batch.background is not None
    torch.testing.assert_close(
        image[..., 0, 0], batch.background.float()[:, 0, 0], atol=1e-3, rtol=0
    )
