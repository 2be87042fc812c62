"""What each kind of search finds."""

from __future__ import annotations

import pytest

from threadwell.stores.suite.scenario import Contract, Desk, reading, scenario
from threadwell.stores.suite.world import WORLD, at_once

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_MRN = "https://example.org/mrn"
_UCUM = "http://unitsofmeasure.org"

#: Type and ``_filter`` → the ids of what it finds.
FILTERS: dict[tuple[str, str], str] = {
    ("Patient", "gender eq female"): "ana",
    ("Patient", "gender eq male or gender eq female"): "ana ben",
    ("Patient", "gender eq male and birthdate ge 1980"): "ben",
    # From left to right; brackets say otherwise.
    ("Patient", "gender eq female or gender eq male and birthdate ge 1980-06"): "ben",
    ("Patient", "gender eq female or (gender eq male and birthdate ge 1980-06)"): "ana ben",
    ("Patient", "not (gender eq female)"): "ben cem dee",
    ("Patient", "not(gender eq female or gender eq male)"): "cem dee",
    ("Patient", "not (not (gender eq female))"): "ana",
    # Something else is there, and not: it is not there.
    ("Patient", "gender ne female"): "ben",
    ("Patient", "identifier ne A-1"): "ana ben",
    ("Patient", "family ne prado"): "ben cem",
    ("Patient", "gender pr true"): "ana ben",
    ("Patient", "gender pr false and name pr true"): "cem",
    ("Patient", 'family eq "prado"'): "ana",
    ("Patient", 'family sw "PRADO"'): "ana cem",
    ("Patient", 'family co "rado"'): "ana cem",
    ("Patient", 'family ew "s"'): "cem",
    ("Patient", "family ew ller"): "ben",
    ("Patient", 'given eq "zoe" or given eq "nobody"'): "ana",
    ("Patient", f"identifier eq {_MRN}|1"): "ana",
    ("Patient", f'identifier eq "{_MRN}|1" and identifier eq A-1'): "ana",
    ("Patient", "gender in http://hl7.org/fhir/ValueSet/administrative-gender"): "ana ben",
    ("Patient", "gender ni http://hl7.org/fhir/ValueSet/administrative-gender"): "",
    ("Patient", "_id eq ana or _id eq dee"): "ana dee",
    ("Patient", "_id ne ana and not (_id eq dee)"): "ben cem",
    ("Patient", "_lastUpdated ge 2000 and not (_lastUpdated le 2000)"): "ana ben cem dee",
    ("Patient", "birthdate eq 1980"): "ana ben",
    ("Patient", "birthdate sa 1979 and birthdate eb 1980-06"): "ana",
    ("Patient", "birthdate ne 1980"): "cem",
    ("Patient", "birthdate po 1980-12-24"): "ben",
    ("Patient", "organization re Organization/clinic"): "ana ben",
    ("Patient", "organization re Organization/clinic and not (gender eq male)"): "ana",
    ("Patient", "general-practitioner ne Practitioner/kim"): "",
    ("Patient", 'organization.name sw "clinic"'): "ana ben",
    ("Patient", 'organization.name sw "clinic" or family sw "prado"'): "ana ben cem",
    ("Patient", 'not (organization.name sw "clinic")'): "cem dee",
    ("Encounter", "date po 2024-04-10T09:00:00Z"): "morning",
    ("Encounter", "date po 2031"): "open",
    ("Encounter", 'subject.name eq "ana" or status eq planned'): "morning untimed",
    ("Encounter", 'subject[gender eq male].name co "ller"'): "open",
    ("Encounter", 'subject[gender eq female].name co "ller"'): "",
    ("Encounter", 'subject:Patient.name co "ana"'): "morning",
    ("Encounter", "part-of.subject[not (gender eq male)].birthdate lt 1981"): "open",
    ("Communication", "sender.gender pr false and part-of pr true"): "m2",
    ("Communication", "part-of.status eq in-progress and sent ge 2024-04-11"): "m3",
    ("Communication", "part-of re Communication/h1 and not (sender re Practitioner/kim)"): "m1 m3",
    ("Communication", "part-of ne Communication/h1"): "m4",
    ("Observation", f"value-quantity gt 60|{_UCUM}|/min"): "fast",
    ("Observation", "value-quantity ge 60 and not (code eq 8310-5)"): "even fast",
    ("RiskAssessment", "probability lt 0.5 or subject.gender eq male"): "high low",
    ("ValueSet", "url sb https://example.org/fhir/ValueSet/roles"): "nurses roles",
    ("ValueSet", "url ss https://example.org/fhir/ValueSet/roles/nurses"): "nurses roles",
    ("ValueSet", "url eq https://example.org/fhir/ValueSet/roles"): "roles",
}

#: Search → the ids of what it finds, separated by blanks, in any order.
SEARCHES: dict[str, str] = {
    # Tokens.
    "Patient?gender=female": "ana",
    "Patient?gender=female,male": "ana ben",
    "Patient?gender:not=female": "ben cem dee",
    "Patient?gender:not=female,male": "cem dee",
    "Patient?active=true": "ana",
    f"Patient?identifier={_MRN}|1": "ana",
    f"Patient?identifier={_MRN}|2": "",
    "Patient?identifier=2": "ben",
    "Patient?identifier=|2": "ben",
    "Patient?identifier=|1": "",
    f"Patient?identifier={_MRN}|": "ana",
    f"Patient?identifier={_MRN}|1&identifier=A-1": "ana",
    f"Patient?identifier={_MRN}|1&identifier=2": "",
    f"Patient?identifier={_MRN}|1,A-1": "ana",
    "Patient?phone=+15550100123": "ana",
    "Patient?email=ana@example.org": "ana",
    "Patient?_tag=https://example.org/tags|vip": "ana",
    "Observation?code:text=heart": "slow even fast",
    "Observation?code:text=rate": "",
    "Patient?_id=ana,cem,nobody": "ana cem",
    "Patient?_id=ana&gender=male": "",
    f"Encounter?class={_ACT}|VR": "morning open",
    # References.
    "Communication?part-of=Communication/h1": "m1 m2 m3",
    "Communication?part-of=h1,h2": "m1 m2 m3 m4",
    "Communication?part-of=h1,h2,h3,h4,h5&sent=2024-04-10": "m1 m2",
    "Communication?part-of=h1,h2,h3,h4,h5&sent=1999": "",
    "Communication?sender=Practitioner/kim": "m2",
    "Communication?sender:Patient=ana": "h1 m1 m3",
    "Communication?subject=ben": "h2 h3",
    "Communication?patient=Patient/ana": "h1",
    "Patient?organization:identifier=https://example.org/npi|77": "cem",
    "Patient?organization:identifier=77": "cem",
    "QuestionnaireResponse?source=https://elsewhere.example.org/fhir/Patient/9": "answered",
    "QuestionnaireResponse?questionnaire=https://example.org/fhir/Questionnaire/asked": "answered",
    "QuestionnaireResponse?questionnaire=https://example.org/fhir/Questionnaire/asked|2": (
        "answered"
    ),
    "QuestionnaireResponse?questionnaire=https://example.org/fhir/Questionnaire/asked|3": "",
    # Strings.
    "Patient?family=prado": "ana cem",
    "Patient?family:exact=Prado": "ana",
    "Patient?family:exact=prado": "",
    "Patient?family=muller": "ben",
    "Patient?family=MÜLLER": "ben",
    "Patient?family:contains=RADO": "ana cem",
    "Patient?name=zoe": "ana",
    "Patient?name=zoe,ben": "ana ben",
    "Patient?name=rado": "",
    # Punctuation and blanks make no difference, and a family name is found by its later parts.
    "Practitioner?family=odell": "rio",
    "Practitioner?family=O\u2019Dell": "rio",
    "Practitioner?family=o'd": "rio",
    "Practitioner?family=dell": "",
    "Practitioner?given=Rio Ann": "rio",
    "Practitioner?given=rio  ann": "rio",
    "Practitioner?given=ann": "",
    "Practitioner?family=vega": "sol",
    "Practitioner?family=castro vega": "sol",
    "Practitioner?family=castrovega": "sol",
    "Practitioner?family=Castro-V": "sol",
    "Practitioner?name=vega": "sol",
    "Practitioner?family:exact=Castro-Vega": "sol",
    "Practitioner?family:exact=Vega": "",
    "Practitioner?family:exact=CastroVega": "",
    "Practitioner?family:contains=rov": "sol",
    "Practitioner?family:contains=ro v": "sol",
    "Practitioner?address=12 elm st apt 4": "sol",
    # Tokens that are texts.
    "Medication?lot-number=ab-12": "vial",
    "Medication?lot-number=AB-12": "vial",
    "Medication?lot-number=ab12": "",
    "Medication?lot-number:not=ab-12": "",
    # Dates: of a day, a month, a year, an instant, a period, an open period.
    "Patient?birthdate=1980-05-04": "ana",
    "Patient?birthdate=1980": "ana ben",
    "Patient?birthdate=1980-12-24": "",
    "Patient?birthdate=ne1980": "cem",
    "Patient?birthdate=gt1980-05": "ben",
    "Patient?birthdate=ge1980-05-04": "ana ben",
    "Patient?birthdate=ge1980-12-24": "ben",
    "Patient?birthdate=ge1975-12-24": "ana ben cem",
    "Patient?birthdate=le1975-01": "cem",
    "Patient?birthdate=le1980-12-01": "ana ben cem",
    "Patient?birthdate=lt1980-05-04": "cem",
    "Patient?birthdate=le1980-05-04": "ana cem",
    "Patient?birthdate=sa1980-05-04": "ben",
    "Patient?birthdate=eb1980-05-04": "cem",
    "Patient?birthdate=1975,1980-05-04": "ana cem",
    "Patient?birthdate=ge1980-01-01&birthdate=lt1980-06-01": "ana",
    "Communication?sent=2024-04-10": "m1 m2",
    "Communication?sent=2024-04-10T07:30Z": "m2",
    "Communication?sent=gt2024-04-10": "m3",
    "Communication?sent=ge2024-04-10": "m1 m2 m3",
    "Communication?sent=le2024-04-09": "m4",
    "Encounter?date=2024-04-10": "morning",
    "Encounter?date=ge2024-04-10": "morning open",
    "Encounter?date=ge2024-04-10T09:00Z": "morning open",
    "Encounter?date=ge2024-04-10T09:30:00.000Z": "morning open",
    "Encounter?date=ge2024-04-10T09:30:00.001Z": "open",
    "Encounter?date=le2024-04-10T08:00:00.000Z": "morning",
    "Encounter?date=le2024-04-10T07:59:59Z": "",
    "Encounter?date=ge2024-04-10T09:00Z&date=le2024-04-10T09:10Z": "morning",
    # Finer than a millisecond.
    "AuditEvent?date=2024-04-10T12:00:00.0005Z": "fine",
    "AuditEvent?date=2024-04-10T12:00:00.0006Z": "",
    "AuditEvent?date=2024-04-10T12:00:00.000Z": "fine",
    "AuditEvent?date=2024-04-10T12:00Z": "fine finer",
    "AuditEvent?date=ge2024-04-10T12:00:00.0005Z": "fine finer",
    "AuditEvent?date=gt2024-04-10T12:00:00.0005Z": "finer",
    "AuditEvent?date=gt2024-04-10T12:00:00.0004Z": "fine finer",
    "AuditEvent?date=lt2024-04-10T12:00:00.001234Z": "fine",
    "AuditEvent?date=le2024-04-10T12:00:00.001234Z": "fine finer",
    "AuditEvent?date=sa2024-04-10T12:00:00.000499Z": "fine finer",
    "AuditEvent?date=eb2024-04-10T12:00:00.001234Z": "fine",
    "AuditEvent?date=ne2024-04-10T12:00:00.001234Z": "fine",
    "AuditEvent?date=2024-04-10T12:00:00.001234Z": "finer",
    "Encounter?date=gt2024-04-10": "open",
    "Encounter?date=gt2030": "open",
    "Encounter?date=lt2024-04-11": "morning",
    "Encounter?date=sa2024-04-10": "open",
    "Encounter?date=eb2024-04-11": "morning",
    # Numbers and quantities.
    "RiskAssessment?probability=gt0.5": "high",
    "RiskAssessment?probability=0.9": "high",
    "RiskAssessment?probability=lt0.5": "low",
    "RiskAssessment?probability=ne0.05": "high",
    "Observation?value-quantity=60": "even",
    "Observation?value-quantity=54|http://unitsofmeasure.org|/min": "slow",
    f"Observation?value-quantity=gt50|{_UCUM}|/min": "slow even fast",
    f"Observation?value-quantity=le60|{_UCUM}|/min": "slow even",
    "Observation?value-quantity=lt40||Cel": "warm",
    "Observation?value-quantity=lt40||degrees": "warm",
    f"Observation?value-quantity=lt40|{_UCUM}|degrees": "",
    # Units are turned into each other, and into no other dimension.
    f"Observation?value-quantity=0.90|{_UCUM}|/s": "slow",
    f"Observation?value-quantity=gt3000|{_UCUM}|/h": "slow even fast",
    f"Observation?value-quantity=1.00|{_UCUM}|Hz": "even",
    f"Observation?value-quantity=ge2.0|{_UCUM}|{{beats}}/s": "fast",
    f"Observation?value-quantity=311.65|{_UCUM}|K": "warm",
    f"Observation?value-quantity=101.3|{_UCUM}|[degF]": "warm",
    f"Observation?value-quantity=ne60|{_UCUM}|{{beats}}/min": "slow fast",
    f"Observation?value-quantity=60|{_UCUM}|mg": "",
    f"Observation?value-quantity=60|{_UCUM}|none": "",
    f"Observation?value-quantity=0.90|{_UCUM}|/s,311.65|{_UCUM}|K": "slow warm",
    "Observation?value-quantity=0.9||/s": "",
    "Observation?value-quantity=5e1": "slow",
    "Observation?value-quantity=5.0e1": "",
    "Observation?value-quantity=6.0e1": "even",
    "Observation?value-quantity=1205e-1": "fast",
    "Observation?value-quantity=ap58": "slow even",
    # Uris.
    "ValueSet?url=https://example.org/fhir/ValueSet/roles": "roles",
    "ValueSet?url:below=https://example.org/fhir/ValueSet/roles": "roles nurses",
    "ValueSet?url:above=https://example.org/fhir/ValueSet/roles/nurses": "roles nurses",
    # Present or not.
    "Patient?gender:missing=true": "cem dee",
    "Patient?gender:missing=false": "ana ben",
    "Patient?identifier:missing=true&name:missing=false": "cem",
    "Communication?part-of:missing=true": "h1 h2 h3",
    # Composites: both parts within one value.
    "Observation?code-value-quantity=http://loinc.org|8867-4$gt100": "fast",
    "Observation?code-value-quantity=8310-5$gt100": "",
    "Observation?code-value-quantity=http://loinc.org|8867-4$lt57,8310-5$gt38": "slow warm",
    # Chains.
    "Communication?sender:Practitioner.name=kim": "m2",
    "Communication?subject:Patient.birthdate=1980-05-04": "h1",
    "Communication?part-of.subject:Patient.gender=female": "m1 m2 m3",
    "Observation?subject:Patient.organization.name=clinic": "slow even fast",
    "Observation?subject:Patient.name=nobody": "",
    "Patient?general-practitioner:Practitioner.family=kim": "ana",
    # Compartments.
    "Communication?_compartment=Patient/ana": "h1 m1 m3",
    "Communication?_compartment=Patient/ben": "h2 h3 m4",
    "Communication?_compartment=Patient/ben,Practitioner/kim": "h1 h2 h3 m2 m4",
    "Communication?_compartment=Patient/ben&_compartment=Practitioner/kim": "h2",
    "Communication?_compartment=ben": "h2 h3 m4",
    "Communication?_compartment:not=Patient/ben,Practitioner/kim": "m1 m3",
    "Communication?_compartment=Patient/ana&status=completed": "m1 m3",
    "Communication?_compartment=Patient/ana&part-of:missing=true": "h1",
    "Communication?_compartment=Encounter/morning": "h1",
    "Communication?_compartment=Patient/nobody": "",
    "Encounter?_compartment=Encounter/morning": "morning",
    "Encounter?_compartment:not=Encounter/morning": "open untimed",
    "Patient?_compartment=Patient/ana": "ana cem",
    "Patient?_compartment=Patient/ben": "ben",
    "Patient?_compartment=Patient/ben,Practitioner/kim": "ana ben",
    "Patient?_compartment:not=Patient/ana": "ben dee",
    "Patient?_compartment=Patient/ana&gender:missing=true": "cem",
    "Patient?_compartment=Practitioner/kim": "ana",
    "Practitioner?_compartment=Practitioner/kim": "kim",
    "Communication?part-of._compartment=Patient/ana": "m1 m2 m3",
    "Communication?part-of._compartment:not=Patient/ana": "m4",
    "Communication?part-of._compartment=Patient/ben,Practitioner/kim": "m1 m2 m3 m4",
    "Communication?part-of._compartment=Patient/nobody": "",
    "Encounter?subject._compartment=Patient/ana": "morning",
    "Encounter?part-of.subject._compartment=Practitioner/kim": "open",
    "Task?focus:Communication._compartment=Practitioner/kim": "pooled",
    "Task?focus._compartment=Patient/ana": "pooled unread",
    "Patient?_has:Communication:subject:part-of._compartment=Patient/ana": "",
    # None of these is in a patient's compartment.
    "Organization?_compartment=Patient/ana": "",
    "Organization?_compartment:not=Patient/ana": "clinic",
    "Patient?_has:Communication:recipient:_compartment=Encounter/morning": "ana",
    # Reverse chains.
    "Patient?_has:Observation:subject:value-quantity=gt100": "ana",
    "Patient?_has:Communication:subject:status=completed": "ben",
    "Patient?_has:Communication:subject:_has:Task:focus:code=respond": "ana",
    "Patient?_has:Observation:subject:code=none": "",
    # Together.
    "Communication?part-of:missing=true&status:not=completed,entered-in-error": "h1 h3",
    "Communication?part-of:missing=true&status:not=in-progress": "h2",
    "Communication?part-of:missing=true&status=in-progress": "h1 h3",
    "Communication?recipient=Practitioner/kim&part-of:missing=true": "h1 h2",
    "Communication?recipient=Practitioner/kim&part-of:missing=true&status=in-progress": "h1",
    "Communication?subject=Patient/ben&part-of:missing=true": "h2 h3",
    "Communication?encounter=Encounter/morning&part-of:missing=true": "h1",
    "Communication?part-of=Communication/h1&sent=ge2024-04-10T08:00:00Z": "m1 m3",
    "Communication?part-of=h1&sender=Patient/ana&status=completed": "m1 m3",
    "Communication?subject:Patient.gender=male&status=completed": "h2",
    "Encounter?part-of=Encounter/morning": "open",
    "Encounter?part-of:missing=true": "morning untimed",
    "Task?code=https://medplum.com/task-codes|read-receipt&owner=Practitioner/kim"
    "&status=requested": "unread",
    "Task?performer=https://example.org/roles|nurse&owner:missing=true": "pooled",
    "Task?owner=Practitioner/kim&status:not=completed,cancelled": "unread",
    # Everything, and nothing.
    "RiskAssessment": "low high",
    "Group": "",
    # meta.lastUpdated: long before and long after the tests run.
    "Patient?_lastUpdated=gt2024-04-10": "",
    "Patient?_lastUpdated=lt2024-04-11": "ana ben cem dee",
    "Patient?_lastUpdated=2024-04-10&gender=male": "ben",
    **{f"{type_}?_filter={text}": found for (type_, text), found in FILTERS.items()},
}


class Searches(Contract):
    """Searches for a table of queries, over one small world."""

    @pytest.mark.parametrize(("search", "expected"), SEARCHES.items())
    @reading(at_once)
    async def test_search(self, desk: Desk, search: str, expected: str) -> None:
        assert sorted(await desk.ids(search)) == sorted(expected.split())
        parameters = "&" if "?" in search else "?"
        page = await desk.search(f"{search}{parameters}_summary=count")
        assert page.total == len(expected.split())
        assert page.matches == []

    @scenario
    async def test_an_update_leaves_nothing_of_the_old_version(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WORLD))
        for resource in WORLD:
            if resource["resourceType"] == "Patient":
                await desk.put({"resourceType": "Patient", "id": resource["id"]})
        for search in (
            "Patient?gender=female",
            "Patient?family=prado",
            "Patient?birthdate=1980",
            "Patient?phone=+15550100123",
            "Patient?organization=Organization/clinic",
            "Patient?gender:missing=false",
        ):
            assert await desk.ids(search) == []
        assert len(await desk.ids("Patient?name:missing=true")) == 4

    @scenario
    async def test_chains_do_not_lead_to_what_is_deleted(self, desk: Desk) -> None:
        await desk.commit(*map(desk.write, WORLD))
        for type_, id_ in (("Practitioner", "kim"), ("Task", "pooled")):
            await desk.commit(desk.deletion(await desk.must_read(type_, id_)))
        assert await desk.ids("Communication?sender:Practitioner.name=kim") == []
        assert await desk.ids("Communication?_has:Task:focus:code=respond") == []
        assert await desk.ids("Communication?sender=Practitioner/kim") == ["m2"]
