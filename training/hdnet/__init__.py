"""HDNet: one surface in metres from a picture, trained on labelled samples of its own camera."""
