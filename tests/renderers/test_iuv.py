"""DensePose numbers drawn from charts: on a plane whose chart is its own x and y."""

import numpy as np
import pytest

from renderers.egl import GLContext
from renderers.iuv import draw_iuv
from renderers.rasterizer import Rasterizer
from schemas.scan import Charts, Mesh
from tests.renderers.scenes import make_camera, pixel_rays

SIDE = 0.5
PLANE = Mesh(
    vertices=np.array([(x, y, 0.0) for y in (-SIDE, SIDE) for x in (-SIDE, SIDE)]) / 2,
    faces=np.array([(0, 1, 3), (0, 3, 2)], np.int32),
)
CORNERS_UV = np.array([(0, 0), (1, 0), (0, 1), (1, 1)], np.float32)
CHARTS = Charts(part=np.array([7, 9], np.uint8), uv=CORNERS_UV[PLANE.faces])


@pytest.mark.parametrize("name", ["2k2k", "orthographic", "hdnet"])
def test_u_and_v_are_those_of_the_point_that_the_pixels_ray_meets(
    context: GLContext, name: str
) -> None:
    camera = make_camera(name)
    with Rasterizer(context, PLANE) as rasterizer:
        front = rasterizer.draw(camera, np.eye(4)).front
        iuv = draw_iuv(rasterizer, CHARTS, camera, np.eye(4))
    starts, rays = pixel_rays(camera)
    points = starts - rays * (starts[..., 2] / rays[..., 2])[..., None]
    inside = front.triangle >= 0
    expected = 255 * (points[inside][:, :2] / SIDE + 0.5)
    assert np.abs(iuv[inside][:, 1:] - expected).max() <= 0.51
    assert not iuv[~inside].any()
    assert np.array_equal(iuv[inside][:, 0], np.where(front.triangle[inside] == 0, 7, 9))
