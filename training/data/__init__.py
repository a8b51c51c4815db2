"""Shards to batches: the index of samples, their order, and the loader."""
