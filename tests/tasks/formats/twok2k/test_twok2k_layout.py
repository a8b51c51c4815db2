import pytest

from schemas.errors import InputError
from schemas.views import View
from tasks.formats.twok2k.twok2k_layout import ViewFiles, check_item, parse_view_name


def test_a_view_is_named_by_data_set_pitch_and_yaw() -> None:
    assert ViewFiles("THuman2", "0016", View(-30)).view_name == "THuman2_0_y_-30_x"
    assert ViewFiles("RP", "a", View(12.5, -5)).view_name == "RP_-5_y_12.5_x"


@pytest.mark.parametrize("view", [View(-30), View(12.5, 7), View(0, 0, "orthographic")])
def test_a_view_name_is_read_back(view: View) -> None:
    name = ViewFiles("RP", "a", view).view_name
    assert parse_view_name(name, view.camera) == ("RP", view)


@pytest.mark.parametrize("name", ["RP_0_y_x", "XX_0_y_0_x", "RP_0_y_0", "../RP_0_y_0_x"])
def test_another_name_is_no_view(name: str) -> None:
    with pytest.raises(InputError, match="no view of the published layout"):
        parse_view_name(name, "2k2k")


@pytest.mark.parametrize(
    ("item", "found"),
    [("rp_front_posed_001", "'front'"), ("rp_SHADED", "'SHADED'"), ("a b", "no plain file name"),
     ("../a", "no plain file name"), ("a.png", "'png'"), ("", "no plain file name")],
)  # fmt: skip
def test_a_name_that_the_published_loader_would_read_wrongly_is_refused(
    item: str, found: str
) -> None:
    with pytest.raises(InputError, match=found):
        check_item(item)
