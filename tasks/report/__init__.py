"""One self-contained page about data sets, trainings and evaluations: totals, images, failures."""
