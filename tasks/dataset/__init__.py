"""The folder of a data set: what belongs where, and what is done."""
