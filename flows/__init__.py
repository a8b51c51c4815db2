"""Composition only: the flows, each a table of contents, and the command line."""
