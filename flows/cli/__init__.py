"""The command line: one module a command, each with its options, examples and answer."""

from flows.cli.app import main

__all__ = ["main"]
