"""``OperationOutcome`` (FHIR R4 §2.32): every error of the FHIR side, as values.

The core returns or raises ``Issue``s; ``api`` turns them into an HTTP answer once.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from threadwell.fhir.resource import Resource


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong: ``code`` from IssueType, ``text`` for a person, ``expression`` FHIRPath.

    ``text`` names the offending path and kind of value, never a patient's content.
    """

    code: str
    text: str
    expression: str = ""
    severity: str = "error"

    def as_json(self) -> Resource:
        """The ``OperationOutcome.issue`` element."""
        out: Resource = {
            "severity": self.severity,
            "code": self.code,
            "details": {"text": self.text},
        }
        if self.expression:
            out["expression"] = [self.expression]
        return out


@dataclass
class FhirError(Exception):
    """A request that FHIR says to refuse, with the HTTP ``status`` and outcome ``id`` it takes.

    ``id`` is the ``OperationOutcome.id`` that Medplum's clients map back to a status.
    """

    status: int
    issues: list[Issue] = field(default_factory=list)
    id: str = ""

    def __str__(self) -> str:
        return "; ".join(
            f"{issue.text} ({issue.expression})" if issue.expression else issue.text
            for issue in self.issues
        )


def outcome(issues: list[Issue], id_: str = "") -> Resource:
    """The ``OperationOutcome`` resource of the issues."""
    out: Resource = {"resourceType": "OperationOutcome"}
    if id_:
        out["id"] = id_
    out["issue"] = [issue.as_json() for issue in issues]
    return out


def invalid(text: str, expression: str = "") -> FhirError:
    """400 with code ``invalid``: the request itself makes no sense."""
    return FhirError(400, [Issue("invalid", text, expression)])


def not_found() -> FhirError:
    """404: there is no such resource, or the asker may not know of it."""
    return FhirError(404, [Issue("not-found", "Not found")], "not-found")


def gone() -> FhirError:
    """410: there was such a resource; its history is still there."""
    return FhirError(410, [Issue("deleted", "Gone")], "gone")


def precondition_failed() -> FhirError:
    """412: ``If-Match`` names a version that is no longer the current one."""
    return FhirError(412, [Issue("processing", "Precondition Failed")], "precondition-failed")


def multiple_matches() -> FhirError:
    """412: a condition that should select one resource selects several."""
    return FhirError(412, [Issue("multiple-matches", "Multiple matches")], "multiple-matches")
