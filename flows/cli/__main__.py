"""`python -m flows.cli` is `scanmill`."""

from flows.cli import main

if __name__ == "__main__":
    main()
