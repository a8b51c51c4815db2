"""Geometry to pixels: EGL, rasteriser passes, lighting, projection, compositing."""
