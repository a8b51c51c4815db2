"""HDNet: one surface in metres from an image, trained on labelled samples of its own camera."""
