"""How the verbs fail."""

from __future__ import annotations

from threadwell.fhir.resource import Resource


class OperationOutcomeError(Exception):
    """A request that was refused: its HTTP ``status``, and the ``outcome`` that says why.

    ``str`` of it is the outcome's texts, each with the element that it is about; where none of
    them names any, with the ``request`` that was refused (``GET Patient/123``).
    """

    def __init__(self, status: int, outcome: Resource, request: str = "") -> None:
        issues = outcome.get("issue") or [{}]
        text = "; ".join(map(_sentence, issues))
        if request and not any(issue.get("expression") for issue in issues):
            text += f" ({request.strip()})"
        super().__init__(text)
        self.status = status
        self.outcome = outcome


def _sentence(issue: Resource) -> str:
    details = issue.get("details") or {}
    text = details.get("text") or issue.get("diagnostics") or issue.get("code") or "Refused"
    where = ", ".join(issue.get("expression") or ())
    return f"{text} ({where})" if where else str(text)
