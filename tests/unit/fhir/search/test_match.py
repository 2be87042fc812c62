"""Which resources a query finds: the table that every store must agree with."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from threadwell.fhir.search.extract import extract
from threadwell.fhir.search.match import matches, values_match
from threadwell.fhir.search.parse import parse_query
from threadwell.fhir.search.query import IdFilter
from threadwell.fhir.search.values import IndexValues, ReferenceValue

T1, T2, T3 = "2024-04-10T10:00:00.000Z", "2024-04-10T11:00:00.000Z", "2024-04-11T09:00:00.000Z"


@dataclass
class World:
    """A few resources that refer to each other."""

    subjects: list = field(default_factory=list)

    def add(self, **resource):
        subject = Subject(resource["resourceType"], resource.get("id", ""), resource, self)
        self.subjects.append(subject)
        return subject


@dataclass
class Subject:
    type: str
    id: str
    resource: dict
    world: World
    updated: int = 86_400_000

    @property
    def values(self) -> IndexValues:
        return extract(self.resource)

    def referred(self, param):
        wanted = self._targets(param)
        return [s for s in self.world.subjects if (s.type, s.id) in wanted]

    def referring(self, type_, param):
        return [
            s
            for s in self.world.subjects
            if s.type == type_ and (self.type, self.id) in s._targets(param)
        ]

    def _targets(self, param):
        found = self.values.get(param, [])
        return {(v.type, v.id) for v in found if isinstance(v, ReferenceValue)}


def found(query, subject):
    name, _, value = query.partition("=")
    (filter_,) = parse_query(subject.type, [(name, value)]).filters
    return matches(filter_, subject)


def communication(**members):
    return World().add(resourceType="Communication", id="c", **members)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (T1, "1"), (f"eq{T1}", "1"), (f"ne{T1}", "23"),
        (f"gt{T1}", "23"), (f"ge{T1}", "123"), (f"lt{T2}", "1"), (f"le{T2}", "12"),
        (f"sa{T2}", "3"), (f"eb{T2}", "1"), ("2024-04-10", "12"), ("ne2024-04-10", "3"),
        ("gt2024-04-10", "3"), ("ge2024-04-10", "123"), ("lt2024-04-10", ""),
        ("lt2024-04-11", "12"), ("le2024-04-10", "12"), ("sa2024-04-10", "3"),
        ("eb2024-04-11", "12"), ("2024", "123"), (f"{T1},{T3}", "13"), ("2024-04-10T11:00Z", "2"),
        ("2024-04-10T13:00:00+02:00", "2"),
    ],
)  # fmt: skip
def test_prefixes_on_instants(query, expected):
    sent = {"1": T1, "2": T2, "3": T3}
    got = [n for n, time in sent.items() if found(f"sent={query}", communication(sent=time))]
    assert "".join(got) == expected


@pytest.mark.parametrize("sent", ["2024-04-10T10:00:00Z", "2024-04-10T12:00:00+02:00"])
@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("eq", True), ("le", True), ("ge", True), ("gt", False), ("lt", False), ("ne", False)],
)
def test_a_time_to_the_second_is_the_same_moment_as_to_the_millisecond(sent, prefix, expected):
    assert found(f"sent={prefix}{T1}", communication(sent=sent)) is expected


PERIODS = {
    "before": {"start": "2023-01-01", "end": "2023-12-31"},
    "into": {"start": "2023-12-01", "end": "2024-01-15"},
    "within": {"start": "2024-01-10", "end": "2024-01-20"},
    "around": {"start": "2023-12-01", "end": "2024-02-29"},
    "outof": {"start": "2024-01-15", "end": "2024-02-15"},
    "after": {"start": "2024-02-01", "end": "2024-02-02"},
    "since": {"start": "2024-01-15"},
    "until": {"end": "2024-01-15"},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("2024-01", "within"),
        ("ne2024-01", "before into around outof after since until"),
        ("gt2024-01", "around outof after since"),
        ("lt2024-01", "before into around until"),
        ("ge2024-01", "into within around outof after since until"),
        ("le2024-01", "before into within around outof since until"),
        ("ge2024-01-16", "within around outof after since"),
        ("ge2024-01-15", "into within around outof after since until"),
        ("le2024-01-15", "before into within around outof since until"),
        ("le2024-01-14", "before into within around until"),
        ("ge2024-02-15T23:59:59Z", "around outof since"),
        ("le2023-12-01T00:00:00Z", "before into around until"),
        ("sa2024-01", "after"),
        ("eb2024-01", "before"),
    ],
)
def test_prefixes_on_periods(query, expected):
    got = [
        name
        for name, period in PERIODS.items()
        if found(f"date={query}", World().add(resourceType="Encounter", period=period))
    ]
    assert got == expected.split()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("5.4", "5.4 5.40 5.42"), ("5.40", "5.4 5.40"), ("ne5.4", "5 6 <5 >6 range"),
        ("54e-1", "5.4 5.40 5.42"), ("5.40E0", "5.4 5.40"),
        ("gt5.4", "5.42 6 >6 range"), ("ge5.4", "5.4 5.40 5.42 6 >6 range"),
        ("lt5.4", "5 <5 range"), ("le5.4", "5 5.4 5.40 <5 range"),
        ("sa5.4", "5.42 6 >6"), ("eb5.4", "5 <5"), ("ap5.4", "5 5.4 5.40 5.42 <5 range"),
        ("5.4||mg", "5.4 5.40 5.42"), ("5.4||g", ""), ("5.4|urn:u|mg", "5.4 5.40 5.42"),
        ("5.4||milligram", "5.4 5.40 5.42"), ("5.4|urn:u|milligram", ""),
        ("5.4|urn:u|", "5.4 5.40 5.42"), ("5.4|urn:v|mg", ""), ("lt1", "<5"), ("eb5", "<5"),
        ("ge5", "5 5.4 5.40 5.42 6 >6 range"), ("sa6", ">6"), ("le6",
        "5 5.4 5.40 5.42 6 <5 range"),
    ],
)  # fmt: skip
def test_prefixes_on_quantities(query, expected):
    def quantity(text, **more):
        unit = {"system": "urn:u", "code": "mg", "unit": "milligram"}
        return {"value": Decimal(text), **unit, **more}

    values = {text: quantity(text) for text in ("5", "5.4", "5.40", "5.42", "6")}
    values["<5"] = quantity("5", comparator="<")
    values[">6"] = quantity("6", comparator=">")
    subjects = {
        name: World().add(resourceType="Observation", valueQuantity=value)
        for name, value in values.items()
    }
    # No element of R4 has both a Quantity and a Range under one parameter of Observation.
    ages = {"low": quantity("5"), "high": quantity("6")}
    ranged = World().add(resourceType="Condition", onsetRange=ages)
    got = [name for name, s in subjects.items() if found(f"value-quantity={query}", s)]
    got += ["range"] if found(f"onset-age={query}", ranged) else []
    assert got == expected.split()


# The query, the resource without its type and id, and whether it is found.
CASES = [
    ("status=completed", {"status": "completed"}, True),
    ("status=complete", {"status": "completed"}, False),
    ("status=in-progress,completed", {"status": "completed"}, True),
    ("status:not=completed", {"status": "in-progress"}, True),
    ("status:not=completed,in-progress", {"status": "in-progress"}, False),
    ("category:not=a", {}, True),
    ("category=urn:a|x", {"category": [{"coding": [{"system": "urn:a", "code": "x"}]}]}, True),
    ("category=|x", {"category": [{"coding": [{"system": "urn:a", "code": "x"}]}]}, False),
    ("category=|x", {"category": [{"coding": [{"code": "x"}]}]}, True),
    ("category=urn:a|", {"category": [{"coding": [{"system": "urn:a", "code": "x"}]}]}, True),
    (
        "category=urn:a|y",
        {"category": [{"coding": [{"system": "urn:a", "code": "x"}, {"code": "y"}]}]},
        False,
    ),
    ("category:text=labör", {"category": [{"text": "Labor Day"}]}, True),
    ("category:text=day", {"category": [{"text": "Labor Day"}]}, False),
    ("category:missing=false", {"category": [{"text": "Labor Day"}]}, True),
    ("category:missing=true", {}, True),
    ("category:missing=false", {}, False),
    ("_id:missing=false", {}, True),
    ("_lastUpdated:missing=true", {}, False),
    ("subject=Patient/p", {"subject": {"reference": "Patient/p"}}, True),
    ("subject=Group/p", {"subject": {"reference": "Patient/p"}}, False),
    ("subject=p", {"subject": {"reference": "Patient/p"}}, True),
    ("subject:not=p", {"subject": {"reference": "Patient/p"}}, False),
    ("subject=urn:uuid:1", {"subject": {"reference": "urn:uuid:1"}}, True),
    ("subject=urn:uuid:1", {"subject": {"display": "Ana"}}, False),
    ("subject:missing=false", {"subject": {"display": "Ana"}}, True),
    ("subject:identifier=urn:m|7", {"subject": {"identifier": {"system": "urn:m", "value": "7"}}},
     True),
    ("subject:identifier=8", {"subject": {"identifier": {"system": "urn:m", "value": "7"}}}, False),
    ("subject:identifier=7", {"subject": {"reference": "Patient/7"}}, False),
    ("instantiates-canonical=urn:p", {"instantiatesCanonical": ["urn:p|2"]}, True),
    ("instantiates-canonical=urn:p|2", {"instantiatesCanonical": ["urn:p|2"]}, True),
    ("instantiates-canonical=urn:p|1", {"instantiatesCanonical": ["urn:p|2"]}, False),
    ("instantiates-uri=http://a/b", {"instantiatesUri": ["http://a/b"]}, True),
    ("instantiates-uri=http://a", {"instantiatesUri": ["http://a/b"]}, False),
    ("instantiates-uri:below=http://a", {"instantiatesUri": ["http://a/b"]}, True),
    ("instantiates-uri:below=http://a/b", {"instantiatesUri": ["http://a/bc"]}, False),
    ("instantiates-uri:above=http://a/b/c", {"instantiatesUri": ["http://a/b"]}, True),
    ("instantiates-uri:above=http://a", {"instantiatesUri": ["http://a/b"]}, False),
    ("_id=c,d", {}, True),
    ("_id:not=c,d", {}, False),
    ("_lastUpdated=1970-01-02", {}, True),
    ("_lastUpdated=gt1970-01-02", {}, False),
    ("_tag=t", {"meta": {"tag": [{"code": "t"}]}}, True),
]  # fmt: skip


@pytest.mark.parametrize(("query", "members", "expected"), CASES)
def test_communications(query, members, expected):
    assert found(query, communication(**members)) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=mull", True), ("name=MÜLLER", True), ("name=ller", False), ("name=x,ana", True),
        ("name:exact=Müller", True), ("name:exact=Muller", False), ("name:exact=Mü", False),
        ("name=mul-ler", True), ("name=an.a", True), ("name:contains=e'r", True),
        ("name:contains=LLE", True), ("family=ana", False), ("phone=5550100123", False),
        ("phone= 15550100123", True), ("phone=+1 555-010-0123", True), ("deceased=false", True),
        ("address-city:missing=true", True),
    ],
)  # fmt: skip
def test_patients(query, expected):
    ana = World().add(
        resourceType="Patient",
        name=[{"family": "Müller", "given": ["Ana"]}],
        telecom=[{"system": "phone", "value": "+1 (555) 010-0123"}],
    )
    assert found(query, ana) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [("low$80", True), ("high$gt100", True), ("low$120", False), ("x$80,low$lt90", True)],
)
def test_a_composite_holds_within_one_element(query, expected):
    pressure = World().add(
        resourceType="Observation",
        component=[
            {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value}}
            for code, value in (("low", 80), ("high", 120))
        ],
    )
    assert found(f"component-code-value-quantity={query}", pressure) is expected


@pytest.mark.parametrize(
    ("type_", "query", "expected"),
    [
        ("Communication", "subject:Patient.name=prado", True),
        ("Communication", "subject:Group.identifier=7", False),
        ("Communication", "subject.identifier=7", True),
        ("Communication", "encounter.subject:Patient.name=prado", True),
        ("Communication", "encounter.status=planned", False),
        ("Patient", "_has:Communication:subject:status=completed", True),
        ("Patient", "_has:Communication:sender:status=completed", False),
        ("Patient", "_has:Encounter:patient:_has:Communication:encounter:_id=c", True),
        ("Encounter", "_has:Communication:encounter:status:not=completed", False),
    ],
)
def test_chains(type_, query, expected):
    world = World()
    patient = {"reference": "Patient/p"}
    world.add(
        resourceType="Patient", id="p", name=[{"family": "Prado"}], identifier=[{"value": "7"}]
    )
    world.add(resourceType="Encounter", id="e", status="finished", subject=patient)
    world.add(
        resourceType="Communication",
        id="c",
        status="completed",
        subject=patient,
        encounter={"reference": "Encounter/e"},
    )
    (subject,) = [s for s in world.subjects if s.type == type_]
    assert found(query, subject) is expected


def test_a_filter_of_more_than_values_is_refused():
    with pytest.raises(TypeError):
        values_match(IdFilter(("a",)), [])
