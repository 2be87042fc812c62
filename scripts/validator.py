"""HL7's validator: fetched once by Maven into ``.cache/``, and asked about resources.

Nothing else is fetched when it runs, and no terminology server is asked.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import compile_definitions

ROOT = Path(__file__).resolve().parent.parent
JUDGE = ROOT / "scripts/judge"
CACHE = ROOT / ".cache/judge"
PACKAGES = CACHE / "home/.fhir/packages"

#: Today's codes of HL7's own code systems: R4's copies are of 2018.
TERMINOLOGY = "hl7.terminology.r4@7.0.1"
TERMINOLOGY_SHA256 = "170c546f761fb51b3355788ca500206f6b772b21c57348c29205de85a6612baa"
#: The validator insists on this package; nothing that we write has to do with it.
UNUSED = ("hl7.fhir.xver-extensions", "0.1.0")

Resource = dict[str, Any]


def tools() -> None:
    """The validator's libraries, HL7's R4 package and our class, made anew when they change."""
    stamp = CACHE / "stamp"
    made_of = "".join((JUDGE / name).read_text("utf-8") for name in ("pom.xml", "Judge.java"))
    if stamp.is_file() and stamp.read_text("utf-8") == made_of:
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    maven = ["mvn", "-q", "-B", "-f", str(JUDGE / "pom.xml"), "dependency:copy-dependencies"]
    subprocess.run([*maven, f"-DoutputDirectory={CACHE / 'lib'}"], check=True)
    javac = ["javac", "-nowarn", "-cp", f"{CACHE}/lib/*", "-d", str(CACHE / "classes")]
    subprocess.run([*javac, str(JUDGE / "Judge.java")], check=True)
    with zipfile.ZipFile(compile_definitions.wheel()) as wheel:
        installed(wheel.read(compile_definitions.PACKAGE_IN_WHEEL))
    name, version = UNUSED
    _put(name, version, {"name": name, "version": version, "fhirVersions": ["4.0.1"]})
    stamp.write_text(made_of, "utf-8")


def terminology() -> Path:
    """The package of today's codes, fetched by npm if it is not there yet."""
    return fetched(TERMINOLOGY, TERMINOLOGY_SHA256)


def fetched(named: str, checksum: str) -> Path:
    """A package from npm, such as ``hl7.terminology.r4@7.0.1``, whose SHA-256 is known."""
    name, _, version = named.partition("@")
    path = CACHE / f"{name}-{version}.tgz"
    if not path.is_file():
        npm = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), named]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
    if sha256(path.read_bytes()).hexdigest() != checksum:
        raise SystemExit(f"{path} is not the expected file: delete it and try again")
    return path


def installed(packed: bytes) -> str:
    """Put a package where the validator looks for it; its name and version, joined by ``#``.

    The packages that it depends on are struck out: the validator would go and fetch them.
    """
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        member = archive.extractfile("package/package.json")
        assert member is not None, "a FHIR package has a package.json"
        manifest = json.load(member)
        name, version = manifest["name"], manifest["version"]
        folder = PACKAGES / f"{name}#{version}"
        shutil.rmtree(folder, ignore_errors=True)
        archive.extractall(folder, filter="data")
    _put(name, version, {**manifest, "dependencies": {}})
    return f"{name}#{version}"


def judged(
    resources: list[Resource], packages: list[str], *, examples: bool = False
) -> Iterator[Resource]:
    """What the validator says of the resources: ``index`` tells which, ``severity`` how bad it is.

    Of ``examples`` it does not mind URLs of example.org, and only warns of a code's display.
    """
    lines = "".join(f"{json.dumps(r, default=float)}\n" for r in resources)
    java = ["java", f"-Duser.home={CACHE / 'home'}", "-cp", f"{CACHE}/lib/*:{CACHE}/classes"]
    java.append(f"-Dexamples={str(examples).lower()}")
    ran = subprocess.run(
        [*java, "Judge", *packages], input=lines.encode(), stdout=subprocess.PIPE, check=True
    )
    return map(json.loads, ran.stdout.splitlines())


def _put(name: str, version: str, manifest: Resource) -> None:
    folder = PACKAGES / f"{name}#{version}" / "package"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(manifest), "utf-8")
