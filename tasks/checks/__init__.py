"""Looking at inputs before the work and at data sets after it."""
