"""The bytes of a package → what is kept of it.

Anybody may have made them. So what is unpacked is bounded as it is unpacked, names of files decide
nothing but their order, and whatever is no file is passed over.
"""

from __future__ import annotations

import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from threadwell.fhir.json import BadJson, encode, parse
from threadwell.fhir.packages.package import TYPES, BadPackage, Head, Package
from threadwell.fhir.packages.trimming import trimmed
from threadwell.fhir.resource import Resource

#: Bytes of a package, of all that it unpacks to, of one file in it, and files.
MAX_PACKED = 128 * 1024 * 1024
MAX_UNPACKED = 768 * 1024 * 1024
MAX_FILE = 32 * 1024 * 1024
MAX_FILES = 50_000
#: Bytes that the kept definitions may have together.
MAX_KEPT = 256 * 1024 * 1024

_MANIFEST = "package/package.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_R4 = ("4.0", "4.1", "4.3")
_MAX_TEXT = 500
_STEP = 64 * 1024


class Packed(NamedTuple):
    """A package, and the compressed JSON of each of its definitions, in the order of its heads."""

    package: Package
    bodies: list[bytes]


def read_package(packed: bytes) -> Packed:
    """What is kept of a package (``.tgz``); raises ``BadPackage``."""
    if len(packed) > MAX_PACKED:
        raise BadPackage(f"it is larger than {MAX_PACKED // 1024 // 1024} MB")
    manifest: Resource | None = None
    found: dict[tuple[str, str, str], tuple[Head, bytes]] = {}
    kept, skipped = 0, ""
    for name, text in _files(packed):
        if name == _MANIFEST:
            manifest = _object(name, text)
            continue
        if not _is_definition(name, text):
            continue
        resource = _object(name, text)
        head = _head(resource)
        if head is None:
            skipped = skipped or name
            continue
        body = zlib.compress(encode(trimmed(resource)), 6)
        kept += len(body)
        if kept > MAX_KEPT:
            raise BadPackage("it has more definitions than are kept of one package")
        found.setdefault((head.type, head.url, head.version), (head, body))
    if manifest is None:
        raise BadPackage(f"there is no {_MANIFEST} in it: it is no FHIR package")
    listed = sorted(found.values(), key=lambda one: (one[0].type, one[0].url, one[0].version))
    if not listed:
        why = f": {skipped} has no url or id" if skipped else ""
        raise BadPackage(f"it has no StructureDefinition, ValueSet or CodeSystem{why}")
    heads = [head for head, _ in listed]
    return Packed(_package(manifest, heads), [body for _, body in listed])


def opened(body: bytes) -> Resource:
    """The definition of a body of ``Packed``."""
    resource: Resource = parse(zlib.decompress(body))
    return resource


def _files(packed: bytes) -> Iterator[tuple[str, bytes]]:
    """The JSON files of the package's own folder, each whole."""
    count = 0
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Unpacked(packed), _STEP), mode="r|") as files:
            for member in files:
                count += 1
                if count > MAX_FILES:
                    raise BadPackage(f"it has more than {MAX_FILES:,} files")
                name = member.name.removeprefix("./")
                folder, _, file = name.partition("/")
                own = folder == "package" and "/" not in file and file.endswith(".json")
                if not (own and member.isreg()):
                    continue
                if member.size > MAX_FILE:
                    raise BadPackage(f"{file[:80]} is larger than {MAX_FILE // 1024 // 1024} MB")
                content = files.extractfile(member)
                if content is not None:
                    yield name, content.read(MAX_FILE)
    except (tarfile.TarError, zlib.error, EOFError, ValueError, OverflowError) as error:
        if isinstance(error, BadPackage):
            raise
        raise BadPackage("it is no gzipped tar archive, or is damaged") from None


class _Unpacked(io.RawIOBase):
    """The unpacked bytes, as many as may be."""

    def __init__(self, packed: bytes) -> None:
        self._packed = memoryview(packed)
        self._at = 0
        self._gzip = zlib.decompressobj(wbits=31)
        self._left = MAX_UNPACKED

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = len(buffer)
        made = b""
        while not made and not self._gzip.eof:
            part = self._gzip.unconsumed_tail
            if not part:
                part = bytes(self._packed[self._at : self._at + _STEP])
                self._at += len(part)
            if not part:
                raise EOFError
            made = self._gzip.decompress(part, wanted)
        self._left -= len(made)
        if self._left < 0:
            raise BadPackage(f"it unpacks to more than {MAX_UNPACKED // 1024 // 1024} MB")
        buffer[: len(made)] = made
        return len(made)


def _is_definition(name: str, text: bytes) -> bool:
    """Whether it may be one that is kept: most files of most packages need not be parsed."""
    named = name.removeprefix("package/").startswith(TYPES)
    return named or any(b'"%s"' % type_.encode() in text for type_ in TYPES)


def _object(name: str, text: bytes) -> Resource:
    try:
        value = parse(text.removeprefix(b"\xef\xbb\xbf"))
    except BadJson as error:
        raise BadPackage(f"{name[:80]} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadPackage(f"{name[:80]} is no JSON object")
    return value


def _head(resource: Resource) -> Head | None:
    """What a resource is known by; ``None`` where it is of no kept type, or has no name."""
    type_, url, id_ = (resource.get(name) for name in ("resourceType", "url", "id"))
    if type_ not in TYPES or not isinstance(url, str) or not isinstance(id_, str):
        return None
    if not url or len(url) > _MAX_TEXT or not _ID.fullmatch(id_):
        return None
    of = _text(resource, "type") if type_ == TYPES[0] else ""
    narrows = resource.get("derivation") == "constraint"
    return Head(str(type_), id_, url, _text(resource, "version"), of, narrows and bool(of))


def _package(manifest: Resource, heads: list[Head]) -> Package:
    name, version = _text(manifest, "name"), _text(manifest, "version")
    if not _NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise BadPackage(f"{_MANIFEST} names no package and version")
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or []
    named = [str(one) for one in versions] if isinstance(versions, list) else []
    if named and not any(one.startswith(_R4) for one in named):
        raise BadPackage(f"it is for FHIR {named[0][:20]}, and not for R4")
    needs = manifest.get("dependencies")
    return Package(
        name,
        version,
        _text(manifest, "title"),
        _text(manifest, "canonical"),
        [f"{one}#{of}"[:_MAX_TEXT] for one, of in needs.items()] if isinstance(needs, dict) else [],
        heads,
    )


def _text(resource: Resource, name: str) -> str:
    value = resource.get(name)
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
