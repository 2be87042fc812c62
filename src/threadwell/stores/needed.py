"""Which search parameters of R4 cannot be left out: Threadwell itself looks things up by them."""

from __future__ import annotations

from threadwell.fhir.search.compartments import OF, links
from threadwell.stores.natural import NATURAL
from threadwell.stores.sql.compounds import compounds

#: What its own searches ask by, of whichever type.
ASKED = frozenset(
    {
        *("_id", "_lastUpdated", "_tag", "active", "actor", "attachment", "authored-on"),
        *("based-on", "birthdate", "business-status", "class", "code", "date", "encounter"),
        *("entity", "family", "focus", "given", "identifier", "link", "member", "name", "owner"),
        *(
            "part-of",
            "participant",
            "patient",
            "performer",
            "policy",
            "recipient",
            "recorded",
            "schedule",
        ),
        *("sender", "sent", "start", "status", "subject", "target", "telecom", "type", "url"),
        "version",
    }
)


def why_needed(type_: str, code: str) -> str:
    """Why a parameter of a type has to be indexed; ``""`` where it may be left out."""
    if code in ASKED:
        return "Threadwell looks things up by it"
    if NATURAL.get(type_) == code:
        return "searches are in its order"
    if any(code in (*one.params, *one.missing) for one in compounds(type_)):
        return "lists of several criteria are made of it"
    if any(code in links(of, type_) for of in OF):
        return "it tells to whose compartment a resource belongs"
    return ""
