"""2K2K: part-wise normals, then coarse-to-fine depth."""
