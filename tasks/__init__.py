"""One step of the pipeline a module: an ordinary function first, its Prefect task beside it."""
