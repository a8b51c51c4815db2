import numpy as np
import pytest
from jaxtyping import Float64

from tasks.scans.polygons import cut_ears, triangulate

SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)]
ARROW = [(0.0, 0.0), (2.0, 2.0), (0.0, 1.0), (-2.0, 2.0)]
COMB = [(0.0, 0.0), (7.0, 0.0), (7.0, 3.0), (6.0, 3.0), (6.0, 1.0), (5.0, 1.0), (5.0, 3.0),
        (4.0, 3.0), (4.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 3.0)]  # fmt: skip
"""Three teeth: no corner sees all of it. Area 7 + 3 teeth of 2."""


def lift(outline: list[tuple[float, float]]) -> Float64[np.ndarray, "n 3"]:
    """Lay a flat outline on a tilted plane on which areas double: z = x + sqrt(2) y."""
    flat = np.array(outline)
    return np.column_stack([flat, flat @ np.array([1.0, np.sqrt(2.0)])])


def areas(points: Float64[np.ndarray, "n 3"], triangles: np.ndarray) -> Float64[np.ndarray, " T"]:
    """Return areas along the plane's upward normal (-1, -sqrt(2), 1) / 2; turned over: negative."""
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a) @ np.array([-1.0, -np.sqrt(2.0), 1.0]) / 4


@pytest.mark.parametrize(("outline", "area"), [(SQUARE, 8.0), (ARROW, 4.0), (COMB, 26.0)])
@pytest.mark.parametrize("turn", range(4))
def test_triangles_cover_the_polygon_once(
    outline: list[tuple[float, float]], area: float, turn: int
) -> None:
    points = lift(outline[turn:] + outline[:turn])
    triangles, _ = triangulate(points, np.arange(len(points)), np.array([len(outline)]))
    covered = areas(points, triangles)
    assert covered.min() >= 0
    assert covered.sum() == pytest.approx(area)


def test_clockwise_polygons_stay_clockwise() -> None:
    points = lift(COMB[::-1])
    triangles, _ = triangulate(points, np.arange(len(points)), np.array([len(COMB)]))
    covered = areas(points, triangles)
    assert covered.max() <= 0
    assert covered.sum() == pytest.approx(-26.0)


def test_triangles_keep_the_order_of_their_faces() -> None:
    points = np.concatenate([lift(SQUARE), lift(SQUARE[:3]), lift(COMB), lift(SQUARE)])
    triangles, source = triangulate(points, np.arange(len(points)), np.array([4, 3, 12, 4]))
    assert source.tolist() == [0] * 2 + [1] + [2] * 10 + [3] * 2
    assert triangles[2].tolist() == [4, 5, 6]
    assert triangles[3:13].min() == 7


def test_an_outline_that_crosses_itself_still_gives_its_triangles() -> None:
    bow = lift([(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0), (-1.0, 1.0)])
    assert cut_ears(bow).shape == (3, 3)


def test_a_very_long_concave_outline_becomes_a_fan() -> None:
    teeth = [(float(k), float(k % 2)) for k in range(150)] + [(150.0, 9.0), (0.0, 9.0)]
    triangles, _ = triangulate(lift(teeth), np.arange(len(teeth)), np.array([len(teeth)]))
    assert set(triangles[:, 0].tolist()) == {0}
