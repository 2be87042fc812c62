"""A Binary's bytes as an answer of their own, kept from running as part of our pages.

What is stored may come from a stranger, by whatever version of this program, so it is judged when
it is sent: only a type that is known to be inert is shown; all else is a file to download.
"""

from __future__ import annotations

from threadwell.api.exchange import Answer, Header
from threadwell.fhir.json import decode
from threadwell.messages import MediaType, media_type_of, parse_media_type
from threadwell.stores.contract import Stored

_NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
_SANDBOX: Header = (b"content-security-policy", b"default-src 'none'; sandbox")
_DOWNLOAD: Header = (b"content-disposition", b"attachment")


def raw(stored: Stored, content: bytes) -> Answer:
    """The content of a version of a Binary under the type that it is said to have, if that is
    one.
    """
    written = media_type_of(str(decode(stored.body).get("contentType", "")))
    kind = parse_media_type(written)
    if kind is None or not kind.is_inert:
        headers = [(b"content-type", written.encode()), _NOSNIFF, _SANDBOX, _DOWNLOAD]
        return Answer(200, headers, content)
    return Answer(200, [(b"content-type", _shown(kind).encode()), _NOSNIFF], content)


def _shown(kind: MediaType) -> str:
    charset = kind.parameters.get("charset")
    return str(MediaType(kind.name, {"charset": charset} if charset else {}))
