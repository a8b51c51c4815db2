"""Trained nets in use: prepared photographs in, predictions out."""
