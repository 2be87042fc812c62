"""``python -m threadwell`` is the ``threadwell`` command."""

import sys

from threadwell.cli import main

if __name__ == "__main__":
    sys.exit(main())
