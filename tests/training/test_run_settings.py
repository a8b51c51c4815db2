"""What is stored of a run's settings: names that never change, meanings that no default changes."""

import json
import tarfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from schemas.train_options import ModelOptions
from training.loop.run_folder import RunRecord
from training.run_settings import DataSettings, ModelSettings, RunSettings, stored_name

ARCHIVE = Path(__file__).parents[1] / "data/before/before.tar.xz"
FIRST_RECORD = {"stage": "2k2k-normal", "resolution": 256}
"""Of the model; all else came later."""


def test_a_record_without_forms_was_trained_as_published() -> None:
    first = ModelSettings.model_validate(FIRST_RECORD)
    assert (first.heads, first.depth_loss, first.normal_loss) == ("published",) * 3
    assert (first.mask_loss, first.depth_normals, first.occupancy) == (
        "single_sigmoid", "masked", "crop"
    )  # fmt: skip


def test_model_settings_are_stored_under_the_names_they_always_had() -> None:
    assert set(ModelSettings.model_validate(FIRST_RECORD).model_dump()) >= {
        "stage", "resolution", "width", "nets", "heads", "normal_loss", "depth_loss", "refinement",
        "depth_gradient", "mask_loss", "depth_normals", "frozen_norm", "occupancy", "precision",
        "learning_rate", "epsilon", "adam", "schedule", "steps_per_epoch", "accumulate", "seed",
        "init",
    }  # fmt: skip


def test_data_settings_are_stored_under_the_names_they_always_had() -> None:
    assert DataSettings.model_validate({"digest": "d", "splits": ["a"]}).model_dump() == {
        "digest": "d", "splits": ("a",), "val_splits": ("val",), "batch": 1, "world": 1,
        "augment": True, "background": "stored", "max_bad_samples": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "required"),
    [(ModelSettings, {"stage", "resolution"}), (DataSettings, {"digest"})],
)
def test_no_default_of_an_option_reaches_an_older_record(
    kind: type[ModelSettings] | type[DataSettings], required: set[str]
) -> None:
    assert set(kind.meant_without) == set(kind.model_fields) - required


def test_a_record_holds_what_a_request_may_leave_out() -> None:
    assert ModelOptions[None]().resolution is None
    with pytest.raises(ValidationError, match="resolution\n  Input should be a valid integer"):
        ModelSettings.model_validate({"stage": "2k2k-normal"})


def test_a_stored_name_is_read_before_its_meaning_when_absent() -> None:
    held = DataSettings.model_validate({"digest": "d", "world": 3, "val_splits": ["test"]})
    assert (held.replicas, held.val_split) == (3, ("test",))


def test_run_settings_name_the_folder() -> None:
    run = RunSettings(out="runs/a", data=("set",), steps=1, save_every=1, validate_every=1)
    assert run.folder.parts == ("runs", "a")
    assert stored_name("out") == "out"


def test_an_older_record_is_written_again_with_all_that_it_held() -> None:
    with tarfile.open(ARCHIVE) as archive:
        file = archive.extractfile("run/run.json")
        assert file is not None
        held = json.loads(file.read())
    written = json.loads(RunRecord.model_validate(held).model_dump_json())
    for part in ("model", "data", "run"):
        assert written[part] | held[part] == written[part]
