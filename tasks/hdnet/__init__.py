"""The published HDNet data sets as folders: written, read and checked."""
