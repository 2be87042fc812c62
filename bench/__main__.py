"""Runs ``main(arguments)`` of every module here, or of those that are named first.

python -m bench                 everything
python -m bench store --large 500000
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Run the benchmarks that the arguments name, with the arguments that follow the names."""
    known = sorted(p.stem for p in Path(__file__).parent.glob("*.py") if not p.stem.startswith("_"))
    named = [argument for argument in arguments if argument in known]
    rest = [argument for argument in arguments if argument not in known]
    for name in named or known:
        module = import_module(f"bench.{name}")
        if hasattr(module, "main"):
            print(f"\n== {name}: {(module.__doc__ or '').splitlines()[0]}")
            module.main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
