"""What ``make judge`` runs: HL7's validator over all that Threadwell writes.

The sample practice is imported under each session policy, lives on as ``judge_practice`` tells, and
is cut anew under another policy. Each version of each resource that comes of it, and each resource
of the guide, is judged by R4 with the guide's package; with ``--us-core FILE …`` (packages of US
Core), each Encounter by US Core Encounter too. Any error or warning fails.

Needs Java 17, Maven and npm: they fetch the validator and HL7's packages once, into ``.cache/``.
Nothing else is fetched, and no terminology server is asked.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import compile_definitions
import make_guide
from judge_practice import POLICIES, written_as_clocks_change, written_under

ROOT = Path(__file__).resolve().parent.parent
JUDGE = ROOT / "scripts/judge"
CACHE = ROOT / ".cache/judge"
PACKAGES = CACHE / "home/.fhir/packages"

#: Today's codes of HL7's own code systems: R4's copies are of 2018.
TERMINOLOGY = "hl7.terminology.r4@7.0.1"
TERMINOLOGY_SHA256 = "170c546f761fb51b3355788ca500206f6b772b21c57348c29205de85a6612baa"
#: The validator insists on this package; nothing that we write has to do with it.
UNUSED = ("hl7.fhir.xver-extensions", "0.1.0")

US_CORE_ENCOUNTER = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"
SNOMED = "http://snomed.info/sct"
#: Said of a code of SNOMED CT, which no package may hold: whether it is in a set cannot be told.
UNTOLD = ("ValueSet 'http://cts.nlm.nih.gov/", "None of the codings provided are in the value set")

#: What a server adds to each version.
_STAMPS = ("versionId", "lastUpdated")

Resource = dict[str, Any]


def main(us_core: list[Path]) -> int:
    """0 where nothing is said against anything, else 1."""
    _tools()
    guide = _installed(make_guide.package())
    terminology = _installed(_terminology().read_bytes())
    written = [*make_guide.resources(), *_written()]
    print(f"R4: {len(written)} resources", flush=True)
    said = _report(_judged(written, [terminology, guide]), written)
    for package in us_core:
        name = _installed(package.read_bytes())
        encounters, waiting = _encounters(written)
        print(f"{name}: {len(encounters)} encounters; {waiting} await a review", flush=True)
        judged = _judged(encounters, [terminology, guide, name])
        said += _report((m for m in judged if not _untold(m, encounters)), encounters)
    return 1 if said else 0


def _written() -> Iterator[Resource]:
    """Each version that is written, once: most are the same under every policy."""
    seen: set[str] = set()
    for resource in chain(*map(written_under, POLICIES), written_as_clocks_change()):
        marks = {name: v for name, v in resource["meta"].items() if name not in _STAMPS}
        body = json.dumps({**resource, "meta": marks}, default=str, sort_keys=True)
        if body not in seen:
            seen.add(body)
            yield resource


def _encounters(written: list[Resource]) -> tuple[list[Resource], int]:
    """The Encounters, claiming US Core's profile; those that await a review are only counted."""
    asked = {
        r["focus"]["reference"] for r in written if r["resourceType"] == "Task" and "focus" in r
    }
    found = [r for r in written if r["resourceType"] == "Encounter"]
    waiting = [r for r in found if "subject" not in r and f"Encounter/{r['id']}" in asked]
    claimed = [
        {**r, "meta": {**r["meta"], "profile": [US_CORE_ENCOUNTER]}}
        for r in found
        if r not in waiting
    ]
    return claimed, len(waiting)


def _untold(message: Resource, judged: list[Resource]) -> bool:
    codings = (c for t in judged[message["index"]]["type"] for c in t["coding"])
    return message["text"].startswith(UNTOLD) and any(c["system"] == SNOMED for c in codings)


def _judged(resources: list[Resource], packages: list[str]) -> Iterator[Resource]:
    lines = "".join(f"{json.dumps(r, default=float)}\n" for r in resources)
    java = ["java", f"-Duser.home={CACHE / 'home'}", "-cp", f"{CACHE}/lib/*:{CACHE}/classes"]
    ran = subprocess.run(
        [*java, "Judge", *packages], input=lines.encode(), stdout=subprocess.PIPE, check=True
    )
    return map(json.loads, ran.stdout.splitlines())


def _report(messages: Iterator[Resource], judged: list[Resource]) -> int:
    """Print each kind of error and warning with one resource that it is about; how many kinds."""
    counted: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for message in messages:
        if message["severity"] != "information":
            kind = message["severity"], message["text"]
            counted[kind] += 1
            about = judged[message["index"]]
            first.setdefault(kind, f"{about['resourceType']}/{about['id']} {message['location']}")
    for kind, count in counted.most_common():
        print(f"  {count} × {kind[0]}: {kind[1]} ({first[kind]})")
    print("  clean" if not counted else f"  {len(counted)} kinds of faults", flush=True)
    return len(counted)


def _tools() -> None:
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
        _installed(wheel.read(compile_definitions.PACKAGE_IN_WHEEL))
    name, version = UNUSED
    _put(name, version, {"name": name, "version": version, "fhirVersions": ["4.0.1"]})
    stamp.write_text(made_of, "utf-8")


def _terminology() -> Path:
    name, _, version = TERMINOLOGY.partition("@")
    path = CACHE / f"{name}-{version}.tgz"
    if not path.is_file():
        npm = ["npm", "pack", "--silent", "--pack-destination", str(CACHE), TERMINOLOGY]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
    if sha256(path.read_bytes()).hexdigest() != TERMINOLOGY_SHA256:
        raise SystemExit(f"{path} is not the expected file: delete it and try again")
    return path


def _installed(packed: bytes) -> str:
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


def _put(name: str, version: str, manifest: Resource) -> None:
    folder = PACKAGES / f"{name}#{version}" / "package"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(manifest), "utf-8")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--us-core", type=Path, nargs="+", default=[], metavar="FILE")
    sys.exit(main(parser.parse_args().us_core))
