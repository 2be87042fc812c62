"""The codes and profiles of AuditEvents, as IHE's Basic Audit Log Patterns (BALP) has them."""

from __future__ import annotations

PROFILE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
REST = {
    "system": "http://terminology.hl7.org/CodeSystem/audit-event-type",
    "code": "rest",
    "display": "Restful Operation",
}
INTERACTION = "http://hl7.org/fhir/restful-interaction"
#: What happens here beside FHIR's interactions.
OWN = "https://threadwell.dev/fhir/CodeSystem/audit-event-type"
#: The operations of FHIR and of ours, as they are in a path.
OPERATION = "https://threadwell.dev/fhir/CodeSystem/audit-event-operation"
#: The system of the ids of clients.
CLIENT = "https://threadwell.dev/fhir/client"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
#: DICOM's words for the two ends of an exchange.
SOURCE = {"system": DICOM, "code": "110153", "display": "Source Role ID"}
DESTINATION = {"system": DICOM, "code": "110152", "display": "Destination Role ID"}
HUMAN = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
    "code": "IRCP",
    "display": "information recipient",
}
#: What the agent is of whom somebody else has asked.
ACTED_FOR = {"coding": [{"system": OWN, "code": "acted-for"}], "text": "was acted for"}
SERVER = {
    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
    "code": "4",
    "display": "Application Server",
}
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
PERSON = {"system": _ENTITY, "code": "1", "display": "Person"}
SYSTEM_OBJECT = {"system": _ENTITY, "code": "2", "display": "System Object"}
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
PATIENT_ROLE = {"system": _ROLE, "code": "1", "display": "Patient"}
DOMAIN_ROLE = {"system": _ROLE, "code": "4", "display": "Domain Resource"}
QUERY_ROLE = {"system": _ROLE, "code": "24", "display": "Query"}
REQUEST_ID = {
    "system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType",
    "code": "XrequestId",
}
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#: Whoever goes beyond their policy in an emergency.
BREAK_GLASS = "BTG"

#: FHIR's codes of interactions.
INTERACTIONS = frozenset(
    {
        *("read", "vread", "update", "patch", "delete", "create", "batch", "transaction"),
        *("history", "search", "capabilities", "operation"),
    }
)
#: Our own, of which some have a second word that tells more. No other act is recorded.
OWN_ACTS = frozenset(
    {
        *("access", "account", "allow", "audit", "change", "chat", "disallow", "export", "expunge"),
        *("file", "import", "index", "list", "login", "notify", "other", "page", "prune"),
        *("retention", "unreadable"),
    }
)
#: Those of our words that are FHIR's by another name.
NAMES = {"history": "history-instance", "search": "search-type"}
#: That of a history by how many ``/`` are in its path: of the system, and of a type.
HISTORIES = {0: "history-system", 1: "history-type"}
#: The action of each that changes nothing; ``change`` is told by what was written.
ACTIONS = {
    "read": "R",
    "vread": "R",
    "history": "R",
    "search": "E",
    "create": "C",
    "update": "U",
    "patch": "U",
    "delete": "D",
    "change": "U",
    "page": "R",
    "file": "R",
    "export": "R",
    "notify hook": "R",
    "notify socket": "R",
}
