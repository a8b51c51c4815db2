import pytest

from schemas.errors import RequestError
from schemas.views import View, format_angle, parse_angles, views_of


@pytest.mark.parametrize(
    ("degrees", "text"),
    [(-30.0, "-30"), (0.0, "0"), (-0.0, "0"), (22.5, "22.5"), (0.1, "0.1"), (1e-3, "0.001")],
)
def test_angles_are_written_by_their_shortest_decimals(degrees: float, text: str) -> None:
    assert format_angle(degrees) == text


@pytest.mark.parametrize(
    ("text", "angles"),
    [
        ("-30:30:10", (-30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0)),
        ("0:1:0.25", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("30:-30:-30", (30.0, 0.0, -30.0)),
        ("5, -5", (5.0, -5.0)),
        ("12.5", (12.5,)),
    ],
)
def test_angles_are_read_as_list_or_range_with_the_stop_included(
    text: str, angles: tuple[float, ...]
) -> None:
    assert parse_angles(text, setting="--yaws") == angles


@pytest.mark.parametrize("text", ["", "a", "0:10:0", "0:10:-1", "nan", "1,,2", "0:1e9:1", "1e9"])
def test_what_is_no_angle_is_refused_by_the_settings_name(text: str) -> None:
    with pytest.raises(RequestError, match="--yaws"):
        parse_angles(text, setting="--yaws")


def test_an_angle_named_twice_is_refused() -> None:
    with pytest.raises(RequestError, match="names an angle twice"):
        parse_angles("0,-0", setting="--pitches")


@pytest.mark.parametrize(
    ("view", "name"),
    [
        (View(-30.0), "RP/a/-30"),
        (View(0.0, 15.0), "RP/a/0/pitch15"),
        (View(10.0, 0.0, "orthographic"), "RP/a/10/orthographic"),
        (View(10.0, -5.5, "hdnet"), "RP/a/10/pitch-5.5/hdnet"),
    ],
)
def test_sample_ids_append_what_makes_a_view_other(view: View, name: str) -> None:
    assert view.sample_id("RP/a") == name


def test_orthographic_adds_views_and_replaces_none() -> None:
    views = views_of((0.0, 10.0), (0.0,), camera="2k2k", orthographic=True)
    assert [view.camera for view in views] == ["2k2k", "2k2k", "orthographic", "orthographic"]
