"""Batches to weights: steps, validation, checkpoints, the files of a run. Knows no data set."""
