"""One self-contained page about data sets and trainings: totals, images, failures."""
