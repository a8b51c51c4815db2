"""The folder layouts of the published data sets: written from samples, and read back to samples."""
