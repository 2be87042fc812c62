"""What Threadwell's speed is measured by; nothing here gates a test."""

import sys
from pathlib import Path

# Where a PostgreSQL of one's own is started, for tests and benchmarks alike.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
