"""HDNet's published data sets: the labelled set and the videos."""
