"""What is packed in a way that is not unpacked here says so, and what to do about it."""

from __future__ import annotations

import bz2
import lzma
from pathlib import Path

import pyarrow as pa
import pytest

from tests.unit.channels.test_reading import CSV, read
from threadwell.messages import Broken

PACKED = {
    "zstd": lambda content: pa.compress(content, "zstd", asbytes=True),
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("program", PACKED)
def test_it_is_told_by_what_program(tmp_path: Path, program: str):
    content = PACKED[program](CSV.encode())
    (tmp_path / "messages.csv.packed").write_bytes(content)
    reason = f"is packed by {program}, which Threadwell does not unpack: pack it by gzip, or not"
    assert read(tmp_path) == [Broken("", "messages.csv.packed", reason, content)]
