"""The command line: commands with their options, examples and answers."""

from flows.cli.app import main

__all__ = ["main"]
