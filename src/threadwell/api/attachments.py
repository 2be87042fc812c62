"""Attachments whose bytes are Binaries of ours, under presigned URLs.

Resources keep ``Attachment.url`` as ``Binary/<id>``; on its way out it becomes such a URL, and one
that is written back becomes ``Binary/<id>`` again (``Signer.normalise``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from threadwell.api.context import Context
from threadwell.stores.contract import Key

ATTACHED = b'"url":"Binary/'
_ATTACHED = re.compile(rb'"url":"Binary/([0-9a-f\-]{36})"')


async def presigned(context: Context, bodies: Sequence[bytes]) -> list[bytes]:
    """The bodies with each attachment that is a Binary of ours under a URL that opens it."""
    ids = {match[1].decode() for body in bodies for match in _ATTACHED.finditer(body)}
    keys = [Key("Binary", id_) for id_ in ids]
    found = await context.view.read_many(context.project, keys)
    now = context.clock() // 1000

    def url(match: re.Match[bytes]) -> bytes:
        binary = found.get(Key("Binary", match[1].decode()))
        if binary is None or binary.deleted:
            return match[0]
        signed = context.signer.url(binary.id, binary.version_id, now, context.watched)
        return b'"url":"%s"' % signed.encode()

    return [_ATTACHED.sub(url, body) for body in bodies]
