"""Answers as short as their reader can take them (RFC 9110 §8.4, §12.5.3).

Only who asks for it gets one that is compressed, and only of texts that are worth it. A version's
ETag is weak, so it names the same version however it is sent.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import lru_cache
from threading import local

from threadwell.api.exchange import Answer
from threadwell.stores.aside import aside

#: Bytes of a body below which it goes in one packet in any case.
SMALLEST = 1_400
#: Of what is compressed: kinds of text. Whatever else there is mostly is compressed already.
_TEXTS = (b"application/fhir+json", b"application/json", b"application/fhir+ndjson", b"text/")
#: Those that are offered, the best one first; the fastest of each, as sessions wait for it.
_CODINGS = (b"zstd", b"gzip")
_ZSTD, _GZIP = 1, 1
_VARY = (b"vary", b"Accept-Encoding")
#: Of each thread its own: none of it is for two at once.
_MINE = local()


async def compressed(answer: Answer, method: str, headers: Mapping[bytes, bytes]) -> Answer:
    """The answer as whoever sent those ``headers`` takes it."""
    if len(answer.body) < SMALLEST or not _is_text(answer):
        return answer
    varying = answer._replace(headers=[*answer.headers, _VARY])
    coding = coding_of(headers.get(b"accept-encoding", b""))
    if not coding or method == "HEAD":
        return varying
    body = answer.body
    packed = await aside(len(body), lambda: _packed(coding, body))
    return varying._replace(headers=[*varying.headers, (b"content-encoding", coding)], body=packed)


@lru_cache(maxsize=256)
def coding_of(accepted: bytes) -> bytes:
    """The coding that an ``Accept-Encoding`` likes best; ``b""`` for none."""
    weights: dict[bytes, float] = {}
    for one in accepted.lower().split(b","):
        name, _, rest = one.partition(b";")
        weights[name.strip()] = _weight(rest)
    others = weights.get(b"*", 0.0)
    liked = [(weights.get(coding, others), coding) for coding in _CODINGS]
    weight, coding = max(liked, key=lambda pair: pair[0])
    # Who would rather have it as it is says so.
    return coding if weight > 0 and weight >= weights.get(b"identity", 0.0) else b""


def _weight(parameters: bytes) -> float:
    name, _, value = parameters.partition(b"=")
    if name.strip() != b"q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def _is_text(answer: Answer) -> bool:
    """Whether it is a text that is sent whole and is not compressed yet."""
    is_text = False
    for name, value in answer.headers:
        if name == b"content-type":
            is_text = value.startswith(_TEXTS)
        elif name in (b"content-encoding", b"accept-ranges", b"content-range"):
            # Ranges are of the bytes as they are.
            return False
    return is_text


def _packed(coding: bytes, body: bytes) -> bytes:
    if coding == b"gzip":
        return zlib.compress(body, _GZIP, wbits=31)
    compressor = getattr(_MINE, "zstd", None)
    if compressor is None:
        # Most servers are never asked for it, and need not have it in memory.
        from zstandard import ZstdCompressor

        compressor = _MINE.zstd = ZstdCompressor(level=_ZSTD)
    packed: bytes = compressor.compress(body)
    return packed
