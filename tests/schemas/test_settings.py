from typing import Annotated

import pytest
from pydantic import ValidationError

from schemas.errors import RequestError
from schemas.settings import Later, RenderSettings, canonical_json, digest_of, refuse_difference


def test_canonical_json_sorts_keys_and_has_no_spaces() -> None:
    assert canonical_json({"b": 1, "a": [0.5]}) == '{"a":[0.5],"b":1}'


def test_equal_settings_have_equal_digests() -> None:
    assert digest_of(RenderSettings()) == digest_of(RenderSettings(resolution=2048))


def test_another_setting_gives_another_digest() -> None:
    assert digest_of(RenderSettings()) != digest_of(RenderSettings(seed=1))


class Newer(RenderSettings):
    """The settings of a version to come."""

    sharpness: Annotated[float, Later()] = 1.0


def test_a_later_setting_leaves_older_digests_as_they_are_until_it_is_used() -> None:
    assert digest_of(Newer()) == digest_of(RenderSettings())
    assert digest_of(Newer(sharpness=2.0)) != digest_of(RenderSettings())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"resolution": 100}, "multiple of 8"), ({"resolution": 0}, "greater than or equal to 64"),
        ({"unknown": 1}, "Extra inputs are not permitted"), ({"yaws": ()}, "at least 1 item"),
        ({"yaws": (0.0, -0.0)}, "yaws names an angle twice"),
        ({"pitches": (95.0,)}, "within"), ({"seed": -1}, "greater than or equal to 0"),
        ({"camera": "orthographic"}, "camera\n  Input should be '2k2k'"),
        ({"camera": "hdnet", "resolution": 512}, "256, not 512"),
        ({"camera": "hdnet", "orthographic": True}, "orthographic"),
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        RenderSettings.model_validate(wrong)


def test_the_default_is_the_published_seven_views() -> None:
    assert [view.yaw for view in RenderSettings().views] == [-30, -20, -10, 0, 10, 20, 30]


def test_a_difference_is_refused_by_its_name_with_both_values() -> None:
    stored, asked = RenderSettings(resolution=512), RenderSettings(resolution=1024)
    with pytest.raises(RequestError, match="resolution: 512 there, 1024 asked"):
        refuse_difference("out", stored=stored, asked=asked)


def test_the_option_of_an_older_default_is_named() -> None:
    stored = RenderSettings(lights="spots")
    with pytest.raises(RequestError, match=r"settings \(--lights spots, once the default\), or"):
        refuse_difference("out", stored=stored, asked=RenderSettings())


def test_an_older_default_that_was_not_kept_is_not_named() -> None:
    with pytest.raises(RequestError, match=r"Use the data set's settings, or another --out\."):
        refuse_difference("out", stored=RenderSettings(), asked=RenderSettings(lights="spots"))


def test_equal_settings_are_not_refused() -> None:
    refuse_difference("out", stored=RenderSettings(), asked=RenderSettings())  # must not raise


def test_hdnets_camera_has_the_size_of_its_crops_unasked() -> None:
    assert RenderSettings(camera="hdnet").resolution == 256


def test_settings_of_hdnets_camera_survive_being_stored() -> None:
    settings = RenderSettings(camera="hdnet", yaws=(0.0,))
    assert RenderSettings.model_validate_json(settings.model_dump_json()) == settings
