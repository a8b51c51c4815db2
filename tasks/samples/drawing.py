"""A scan and the settings in, its samples out: the step that decides pixels.

Each view is drawn by itself: one that fails is a value (ViewFailure), the others go on.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from jaxtyping import Float64, UInt8

from renderers.compositing import composite, crop_background
from renderers.harmonics import choose_harmonic_light, shade
from renderers.iuv import draw_iuv
from renderers.lighting import choose_spot_lights, draw_lit
from renderers.placement import Placement
from renderers.projected_joints import project_joints
from renderers.rasterizer import Rasterizer
from renderers.session import DrawingSession
from renderers.viewpoint import Viewpoint, take_viewpoint
from schemas.fits import FitCheck
from schemas.manifest import Stage
from schemas.profiling import span
from schemas.sample import Sample, Surfaces
from schemas.scan import InputFile, Scan
from schemas.seeds import derive_seed, generator
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.backgrounds import Backgrounds
from tasks.fits.check import require_fit
from tasks.fits.placing import place_fitted
from tasks.samples.densepose_files import DenseposeFiles


@dataclass(slots=True)
class Stopwatch:
    """Wall seconds by stage, and the stage that is running or failed."""

    seconds: dict[Stage, float] = field(default_factory=dict)
    stage: Stage = "read"

    @contextmanager
    def during(self, stage: Stage) -> Iterator[None]:
        """Count the time of one stage; the stage stays named when it fails."""
        self.stage = stage
        start = perf_counter()
        with span(stage):
            yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start


@dataclass(frozen=True, slots=True)
class ViewFailure:
    """A view that could not be drawn: which, during what, and why."""

    sample_id: str
    stage: Stage
    error: Exception


def draw_scan(
    scan: Scan,
    settings: RenderSettings,
    session: DrawingSession,
    *,
    backgrounds: Backgrounds,
    stopwatch: Stopwatch,
    densepose: DenseposeFiles | None = None,
    on_fit: Callable[[FitCheck], None] | None = None,
    on_warning: Callable[[str], None] | None = None,
) -> Iterator[Sample | ViewFailure]:
    """Draw every view of a scan, in the order of the settings.

    densepose: images whose IUV comes before that of the scan's own charts.
    on_fit: is told how a fitted body lies in its scan, before anything is drawn.
    on_warning: is told what the device made necessary, as a texture that had to be shrunk.
    Raises InputError when the scan can't be placed, or must fit and does not; a view that fails
    is yielded as a value.
    """
    with stopwatch.during("place"):
        placement = place_fitted(scan, settings)
    with stopwatch.during("draw"):
        rasterizer = Rasterizer(
            session.context, scan.mesh,
            normals=settings.normals, color_filter=settings.color_filter,
        )  # fmt: skip
    with rasterizer:
        if on_warning is not None:
            for warning in rasterizer.warnings:
                on_warning(warning)
        with stopwatch.during("place"):
            require_fit(scan, rasterizer, placement, is_required=settings.require_fit, tell=on_fit)
        with stopwatch.during("place"):
            used = scan.mesh.used_vertices
        renderer = ViewRenderer(
            scan, settings, placement, used, rasterizer, backgrounds, densepose, stopwatch
        )
        for view in settings.views:
            try:
                drawn: Sample | ViewFailure = renderer.draw(view)
            except Exception as error:  # noqa: BLE001 - whatever one view meets, the others go on
                sample_id = view.sample_id(scan.ref.scan_id)
                drawn = ViewFailure(sample_id, stopwatch.stage, error)
            yield drawn


@dataclass(frozen=True, slots=True)
class ViewRenderer:
    """What all views of one scan share."""

    scan: Scan
    settings: RenderSettings
    placement: Placement
    used_vertices: Float64[np.ndarray, "V 3"]
    rasterizer: Rasterizer
    backgrounds: Backgrounds
    densepose: DenseposeFiles | None
    stopwatch: Stopwatch

    def draw(self, view: View) -> Sample:
        """Draw one view and all that is worked out from it; raises what its steps raise."""
        settings, watch = self.settings, self.stopwatch
        sample_id = view.sample_id(self.scan.ref.scan_id)
        seed = derive_seed(settings.seed, sample_id)
        with watch.during("place"):
            stand = take_viewpoint(
                view, self.placement, self.used_vertices, resolution=settings.resolution
            )
        with watch.during("draw"):
            surfaces = self.rasterizer.draw(stand.camera, stand.mesh_to_world)
        with watch.during("read"):
            iuv = self._read_iuv(view, surfaces)
        if iuv is None:
            with watch.during("iuv"):
                iuv = self._draw_iuv(stand)
        with watch.during("light"):
            shaded = self._light(stand, surfaces, seed)
        with watch.during("composite"):
            image, background = self._lay_over_background(shaded, surfaces, seed)
        with watch.during("keypoints"):
            joints = project_joints(
                self.scan.joints, stand.camera,
                mesh_to_world=stand.mesh_to_world, front_depth=surfaces.front.seen[..., 3],
                box=surfaces.front.box,
                metres_per_unit=stand.metres_per_unit, factor=settings.joint_factor,
            )  # fmt: skip
        return Sample(
            sample_id=sample_id, ref=self.scan.ref, view=view, camera=stand.camera,
            mesh_to_world=stand.mesh_to_world, metres_per_unit=stand.metres_per_unit,
            metric_source=self.placement.metric_source, surfaces=surfaces.without_triangles(),
            shaded=shaded,
            image=image, keypoints=joints.pixels, joints_camera=joints.camera,
            keypoint_source=joints.source, keypoint_occluded=joints.occluded,
            background=background, seed=seed, iuv=iuv,
        )  # fmt: skip

    def _read_iuv(self, view: View, surfaces: Surfaces) -> UInt8[np.ndarray, "H W 3"] | None:
        """Take the image that somebody made of this view, if there is one."""
        if self.densepose is None:
            return None
        return self.densepose.read(self.scan.ref, view, surfaces.mask)

    def _draw_iuv(self, stand: Viewpoint) -> UInt8[np.ndarray, "H W 3"] | None:
        """Draw the scan's own charts, if it has any."""
        charts = self.scan.charts
        if charts is None:
            return None
        return draw_iuv(self.rasterizer, charts, stand.camera, stand.mesh_to_world)

    def _light(self, stand: Viewpoint, surfaces: Surfaces, seed: int) -> UInt8[np.ndarray, "H W 3"]:
        rng = generator(seed, "lights")
        if self.settings.lights == "harmonics":
            front, box = surfaces.front, surfaces.front.box
            image = np.zeros_like(front.color)
            image[box] = shade(
                front.color[box], front.seen[..., :3], surfaces.mask[box],
                camera=stand.camera, light=choose_harmonic_light(rng),
            )  # fmt: skip
            return image
        lights = choose_spot_lights(rng)
        return draw_lit(
            self.rasterizer, stand.camera, stand.mesh_to_world, lights,
            ambient=self.settings.ambient, lights_to_world=stand.lights_to_world,
        )  # fmt: skip

    def _lay_over_background(
        self, shaded: UInt8[np.ndarray, "H W 3"], surfaces: Surfaces, seed: int
    ) -> tuple[UInt8[np.ndarray, "H W 3"], InputFile | None]:
        settings, rng = self.settings, generator(seed, "background")
        chosen = self.backgrounds.choose(settings.resolution, settings.max_enlargement, rng)
        if chosen is None:
            return shaded, None
        crop = crop_background(self.backgrounds.read(chosen), settings.resolution, rng)
        filter_seam = settings.seam == "filtered"
        image = composite(shaded, surfaces.mask, crop, filter_seam=filter_seam)
        return image, self.backgrounds.input_file(chosen)
