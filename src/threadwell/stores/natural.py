"""When a resource happened, for each type: the order in which a search without ``_sort`` answers.

A resource takes its place by the earliest value of one date parameter of its type. Types that
have no such time, and resources that do not say it, come first, in the order of their creation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from threadwell.fhir.search.values import DateValue, IndexValues

#: The place of a resource without a natural time: before every other.
NO_TIME = -(2**63)

#: Resource type → the date parameter that says when it happened.
NATURAL: Mapping[str, str] = MappingProxyType(
    {
        "AllergyIntolerance": "date",
        "Appointment": "date",
        "AuditEvent": "date",
        "CarePlan": "date",
        "CareTeam": "date",
        "ChargeItem": "entered-date",
        "Claim": "created",
        "ClaimResponse": "created",
        "ClinicalImpression": "date",
        "Communication": "sent",
        "CommunicationRequest": "authored",
        "Composition": "date",
        "Condition": "recorded-date",
        "Consent": "date",
        "CoverageEligibilityRequest": "created",
        "CoverageEligibilityResponse": "created",
        "DetectedIssue": "identified",
        "DeviceRequest": "authored-on",
        "DiagnosticReport": "date",
        "DocumentManifest": "created",
        "DocumentReference": "date",
        "Encounter": "date",
        "EpisodeOfCare": "date",
        "ExplanationOfBenefit": "created",
        "Flag": "date",
        "Goal": "start-date",
        "ImagingStudy": "started",
        "Immunization": "date",
        "List": "date",
        "Media": "created",
        "MedicationRequest": "authoredon",
        "Observation": "date",
        "PaymentNotice": "created",
        "PaymentReconciliation": "created",
        "Procedure": "date",
        "Provenance": "recorded",
        "QuestionnaireResponse": "authored",
        "RiskAssessment": "date",
        "Schedule": "date",
        "ServiceRequest": "authored",
        "Slot": "start",
        "Specimen": "collected",
        "SupplyRequest": "date",
        "Task": "authored-on",
    }
)


def natural_time(type_: str, values: IndexValues) -> int:
    """Microseconds since 1970 UTC at which the resource began, or ``NO_TIME``."""
    param = NATURAL.get(type_)
    if param is None:
        return NO_TIME
    lows = [value.low for value in values.get(param, ()) if isinstance(value, DateValue)]
    return min(lows, default=NO_TIME)
