#!/usr/bin/env bash
# pysof is installed where it cannot run, and is imported there with a warning alone.
#
# Package    pysof 0.2.6 (SQL on FHIR, Helios), its wheel for CPython 3.11 on x86-64 Linux
# Expected   a wheel tagged manylinux_2_34 runs where glibc is 2.34 or later (PEP 600), as on RHEL 9 and Debian 12; pip
#            leaves it alone elsewhere
# Seen       the OpenSSL in the wheel asks for GLIBC_2.38. With 2.34 to 2.37 pip installs it without a word, `import
#            pysof` warns and succeeds, and each view raises `NotImplementedError: Rust extension module not
#            available`, which tells nothing of glibc
# So         run it in an image with glibc 2.38 or later (Ubuntu 24.04, Debian 13), and run one view as a check
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" download -q --disable-pip-version-check --no-deps --only-binary :all: \
    --python-version 3.11 --implementation cp --platform manylinux_2_34_x86_64 -d "$folder" pysof==0.2.6
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import re
import sys
from pathlib import Path
from zipfile import ZipFile

[path] = Path(sys.argv[1]).glob("*.whl")
said = [int(number) for number in re.findall(r"manylinux_2_(\d+)_x86_64", path.name)]
needed = {}
with ZipFile(path) as wheel:
    for name in wheel.namelist():
        if ".so" in name:
            found = re.findall(rb"GLIBC_2\.(\d+)\0", wheel.read(name))
            needed[name] = max(map(int, found), default=0)
            print(f"{name} asks for glibc 2.{needed[name]}")
    source = wheel.read("pysof/__init__.py").decode()
print(f"{path.name} says 2.{said[0]}")
assert said == [34], said
assert max(needed.values()) == 38, needed
assert "Rust extension module not available" in source
PYTHON
