"""What a provider is given along with a mail, so that what it tells of it leads to that mail.

SendGrid and Postmark take the reports of mail servers themselves: none comes to the practice. Both
give a mail a number of their own, and repeat what stands in fields that they take off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

#: What the Message-ID is called there.
OWN = "threadwell"
#: Of a value of Postmark's metadata.
_MOST = 80


def fields_for(host: str, id_: str) -> Mapping[str, str]:
    """The fields that the server at ``host`` wants with a mail of that Message-ID."""
    if host.endswith(".sendgrid.net"):
        return {"X-SMTPAPI": json.dumps({"unique_args": {OWN: id_}})}
    if host.endswith(".postmarkapp.com"):
        # Postmark would give it a Message-ID of its own.
        more = {f"X-PM-Metadata-{OWN}": id_} if len(id_) <= _MOST else {}
        return {"X-PM-KeepID": "true", **more}
    return {}
