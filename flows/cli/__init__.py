"""The command line: commands with their options, examples and answers."""

from importlib import import_module

from schemas.many_imports import expect_many_imports

expect_many_imports()


def main() -> None:
    """Run the command line, which is loaded now.

    A worker process imports what its run's main script imports, and has no use for it.
    """
    import_module("flows.cli.app").main()
