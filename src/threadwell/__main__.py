"""The ``threadwell`` command; ``python -m threadwell`` is the same."""

import sys


def main() -> int:
    """Run the command that was called; Ctrl-C before it has begun is an end without a traceback."""
    try:
        from threadwell.cli import main as run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("threadwell: stopped before it began\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
