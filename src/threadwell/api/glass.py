"""Breaking the glass: reading more than usual in an emergency, for one request and a told reason.

Who may do so has it in their policy (``breakGlass``). Of anybody else the header means nothing, and
the answer is the same as without it. It widens what is read, and nothing else: an export, an
operation, GraphQL, what is in a Bundle and all that writes go by the policy as ever.
"""

from __future__ import annotations

from msgspec import structs

from threadwell.api.context import Context
from threadwell.api.exchange import Request
from threadwell.audit.codes import BREAK_GLASS
from threadwell.audit.witness import CURRENT
from threadwell.fhir.outcome import invalid

HEADER = b"x-threadwell-break-glass"
#: The interactions that are widened.
_WIDENED = frozenset({"read", "vread", "history", "search"})
#: Characters of a reason.
LONGEST = 1000


def broken(context: Context, request: Request) -> Context:
    """The context of a request that breaks the glass; that of any other is as it was.

    From here on it is recorded with the reason. Raises ``FhirError`` 400 for a reason that is none.
    """
    given = request.headers.get(HEADER)
    policy = request.caller.policy
    if given is None or policy is None or policy.glass is None:
        return context
    witness = CURRENT.get()
    if request.interaction not in _WIDENED or witness is None:
        return context
    reason = _reason(given)
    witness.by = structs.replace(witness.by, purpose=BREAK_GLASS, reason=reason)
    return context.seen_by(request.caller._replace(policy=policy.glass))


def _reason(given: bytes) -> str:
    try:
        text = given.decode()
    except UnicodeDecodeError:
        # Browsers send what HTTP allows of old.
        text = given.decode("latin-1")
    text = text.strip()
    if not text:
        raise invalid("X-Threadwell-Break-Glass has to say why")
    if len(text) > LONGEST or not text.isprintable():
        raise invalid(
            f"X-Threadwell-Break-Glass has to say why in a line of at most {LONGEST} characters"
        )
    return text
