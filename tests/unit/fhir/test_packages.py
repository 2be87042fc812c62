"""Packages as anybody may have made them."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import Any

import pytest

from tests.unit.guide_package import codes, guide, manifest, packed, profile
from threadwell.fhir.packages import reading
from threadwell.fhir.packages.package import BadPackage, newer_first
from threadwell.fhir.packages.reading import opened, read_package

ONE = {"package.json": manifest(), "CodeSystem-wards.json": codes("wards", "north")}


def test_a_package_is_read_with_what_is_gone_by() -> None:
    package, bodies = read_package(guide(dependencies={"hl7.fhir.r4.core": "4.0.1"}))
    assert package.label == "org.example.guide#1.0.0"
    assert list(package.needs) == ["hl7.fhir.r4.core#4.0.1"]
    assert [(head.type, head.id, head.of) for head in package.heads] == [
        ("CodeSystem", "wards", ""),
        ("StructureDefinition", "patient", "Patient"),
        ("StructureDefinition", "reading", "Observation"),
        ("StructureDefinition", "ward", "Extension"),
        ("ValueSet", "wards", ""),
    ]
    assert [opened(body)["url"] for body in bodies] == [head.url for head in package.heads]


def test_what_is_for_readers_is_not_kept() -> None:
    told = {"path": "Patient.name", "min": 1, "definition": "long", "mapping": [{}]}
    made = {**profile("patient", "Patient", told), "text": {"status": "empty"}}
    (body,) = read_package(packed({"package.json": manifest(), "x.json": made})).bodies
    kept = opened(body)
    assert "text" not in kept
    assert kept["differential"]["element"][1].keys() == {"id", "path", "min"}


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (b"", "no gzipped tar"),
        (b"PK\x03\x04 no tar", "no gzipped tar"),
        (guide()[:400], "no gzipped tar"),
        (gzip.compress(b"no tar at all" * 100, mtime=0), "no gzipped tar"),
        (packed({"CodeSystem-wards.json": codes("wards", "n")}), "no package/package.json"),
        (packed({"package.json": manifest()}), "no StructureDefinition"),
        (packed({**ONE, "package.json": b"{"}), "package.json is no JSON"),
        (packed({**ONE, "package.json": b"[]"}), "no JSON object"),
        (packed({**ONE, "package.json": manifest(name="../up")}), "no package and version"),
        (packed({**ONE, "package.json": manifest(version="a/b")}), "no package and version"),
        (packed({**ONE, "package.json": manifest(fhirVersions=["5.0.0"])}), "for FHIR 5.0.0"),
        (packed({**ONE, "ValueSet-x.json": b'{"a":' * 200 + b"1" + b"}" * 200}), "nested deeper"),
        (packed(ONE, root="../package/"), "no package/package.json"),
        (packed(ONE, root="/package/"), "no package/package.json"),
    ],
)
def test_what_is_no_package_is_refused_with_a_reason(made: bytes, told: str) -> None:
    with pytest.raises(BadPackage, match=told):
        read_package(made)


def test_links_and_folders_are_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("package/CodeSystem-wards.json")
            info.type, info.linkname = kind, "/etc/hostname"
            archive.addfile(info)
    with pytest.raises(BadPackage, match=r"no package/package.json"):
        read_package(out.getvalue())


@pytest.mark.parametrize(
    ("limit", "value", "told"),
    [
        ("MAX_PACKED", 100, "larger than"),
        ("MAX_UNPACKED", 10_000, "unpacks to more"),
        ("MAX_FILE", 100, "is larger than"),
        ("MAX_FILES", 1, "more than 1 files"),
        ("MAX_KEPT", 100, "more definitions"),
    ],
)
def test_each_bound_holds(monkeypatch: Any, limit: str, value: int, told: str) -> None:
    monkeypatch.setattr(reading, limit, value)
    with pytest.raises(BadPackage, match=told):
        read_package(packed({**ONE, "other/big.bin": b"\0" * 20_000}))


def test_a_bomb_ends_at_the_bound(monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "MAX_UNPACKED", 1024 * 1024)
    bomb = packed({"package.json": manifest(), "other/zeros": bytes(8 * 1024 * 1024)})
    assert len(bomb) < 64 * 1024
    with pytest.raises(BadPackage, match="unpacks to more"):
        read_package(bomb)


def test_versions_are_in_order() -> None:
    listed = ["10.0.0", "7.0.0", "7.0.0-ballot", "6.1.0", "1.0.0"]
    assert sorted(listed, key=newer_first) == listed[::-1]
