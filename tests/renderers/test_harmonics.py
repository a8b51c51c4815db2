import numpy as np
import pytest

from renderers.harmonics import (
    MEDIAN_BRIGHTNESS,
    HarmonicLight,
    choose_harmonic_light,
    find_irradiance,
    harmonics,
    light_from_lamps,
    shade,
)
from schemas.camera import camera_2k2k

CAMERA = camera_2k2k(64)
UP, FRONT = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0])


def _sphere(rings: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return directions over the sphere and the solid angle of each, by midpoints."""
    polar = (np.arange(rings) + 0.5) / rings * np.pi
    around = (np.arange(2 * rings) + 0.5) / rings * np.pi
    theta, phi = np.meshgrid(polar, around, indexing="ij")
    points = np.stack(
        [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], axis=-1
    )
    return points.reshape(-1, 3), (np.sin(theta) * (np.pi / rings) ** 2).ravel()


def test_the_harmonics_are_orthonormal_over_the_sphere() -> None:
    points, solid_angles = _sphere()
    values = harmonics(points)
    assert values.T @ (values * solid_angles[:, None]) == pytest.approx(np.eye(9), abs=1e-3)


def test_even_light_falls_evenly() -> None:
    light = light_from_lamps(UP[None], np.zeros(1), ambient=0.7)
    points, _ = _sphere(10)
    assert find_irradiance(light, points) == pytest.approx(0.7)


@pytest.mark.parametrize("cosine", [1.0, 0.8, 0.5, 0.0, -0.4])
def test_a_lamp_falls_as_the_second_order_series_of_the_clamped_cosine(cosine: float) -> None:
    normal = np.array([np.sqrt(1 - cosine**2), cosine, 0.0])
    light = light_from_lamps(UP[None], np.ones(1), ambient=0.0)
    # max(0, c) = 1/4 + c/2 + 5/16 P2(c) + ...; the series may dip below zero, light may not
    series = 0.25 + cosine / 2 + 5 / 16 * (3 * cosine**2 - 1) / 2
    assert find_irradiance(light, normal[None])[0] == pytest.approx(max(series, 0), abs=1e-12)


def test_irradiance_is_the_integral_of_radiance_times_the_cosine() -> None:
    points, solid_angles = _sphere()
    coefficients = np.array([1.0, 0.2, 0.3, -0.1, 0.05, 0.1, 0.08, -0.06, 0.04])
    radiance = harmonics(points) @ coefficients
    normal = np.array([0.36, 0.48, 0.8])
    integral = (radiance * np.maximum(points @ normal, 0) * solid_angles).sum()
    found = find_irradiance(HarmonicLight(coefficients), normal[None])[0]
    assert found == pytest.approx(integral, rel=1e-3)


def test_a_seed_always_gives_the_same_light() -> None:
    lights = [choose_harmonic_light(np.random.default_rng(5)).coefficients for _ in range(2)]
    assert np.array_equal(lights[0], lights[1])
    assert not np.array_equal(
        lights[0], choose_harmonic_light(np.random.default_rng(6)).coefficients
    )


@pytest.mark.parametrize("seed", range(20))
def test_no_light_is_dark_or_burns_out(seed: int) -> None:
    light = choose_harmonic_light(np.random.default_rng(seed))
    points, _ = _sphere(40)
    falling = find_irradiance(light, points)
    assert 0.78 < falling.max() < 1.02
    assert find_irradiance(light, FRONT[None])[0] > 0.3


def test_full_light_leaves_colours_as_they_are_and_outside_black() -> None:
    color = np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8)
    mask = np.zeros((8, 8), bool)
    mask[2:6, 3:7] = True
    normals = np.zeros((8, 8, 3), np.float32)
    normals[mask] = (0, 0, -1)
    full = light_from_lamps(UP[None], np.zeros(1), ambient=1.0)
    image = shade(color, normals, mask, camera=CAMERA, light=full)
    assert np.array_equal(image[mask], color[mask])
    assert not image[~mask].any()


def test_half_the_light_is_half_in_linear_colour() -> None:
    normals = np.array([[[0.0, 0.0, -1.0]]], np.float32)
    half = light_from_lamps(UP[None], np.zeros(1), ambient=0.5)
    white = np.full((1, 1, 3), 255, np.uint8)
    image = shade(white, normals, np.ones((1, 1), bool), camera=CAMERA, light=half)
    assert image[0, 0].tolist() == [188, 188, 188]  # sRGB of 0.5


def test_light_from_above_brightens_what_faces_up() -> None:
    above = light_from_lamps(UP[None], np.ones(1), ambient=0.0)
    normals = np.array([[[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]], np.float32)  # camera y points down
    white = np.full((1, 2, 3), 255, np.uint8)
    image = shade(white, normals, np.ones((1, 2), bool), camera=CAMERA, light=above)
    assert image[0, 0, 0] > 250
    assert image[0, 1, 0] < 90


def test_the_median_brightness_of_a_grey_sphere_keeps_within_its_range() -> None:
    """As an orthographic camera before it sees the sphere: every pixel of the disc counts alike."""
    x, y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(-1, 1, 41)] * 2))
    inside = x**2 + y**2 < 1
    normals = np.stack([x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0))], axis=1)[inside]
    lights = (choose_harmonic_light(np.random.default_rng(seed)) for seed in range(400))
    median = np.array([np.median(find_irradiance(light, normals)) for light in lights])
    levels = 1.055 * median ** (1 / 2.4) - 0.055  # sRGB of a white surface
    assert MEDIAN_BRIGHTNESS[0] < levels.min() < levels.max() < MEDIAN_BRIGHTNESS[1]
