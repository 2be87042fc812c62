"""fhirpy and fhirclient, as published, against a real server."""

from __future__ import annotations

from uuid import uuid4

import fhirclient.models.humanname as smart_name
import fhirclient.models.patient as smart_patient
import pytest
from fhirclient import server as smart_server
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound


@pytest.fixture
def authorization(server) -> str:
    with server.http() as http:
        return str(http.headers["authorization"])


def test_fhirpy_keeps_a_thread(server, authorization) -> None:
    client = SyncFHIRClient(server.base_url + "fhir/R4", authorization=authorization)
    mark = uuid4().hex
    header = client.resource(
        "Communication", status="in-progress", identifier=[{"system": "urn:t", "value": mark}]
    )
    header.save()
    for minute in (2, 0, 1):
        client.resource(
            "Communication",
            status="completed",
            partOf=[header.to_reference()],
            sent=f"2025-03-01T10:0{minute}:00Z",
            payload=[{"contentString": str(minute)}],
        ).save()

    thread = client.resources("Communication").search(part_of=f"Communication/{header.id}")
    texts = [m["payload"][0]["contentString"] for m in thread.sort("sent").limit(2).fetch_all()]
    assert texts == ["0", "1", "2"]
    found = client.resources("Communication").search(
        part_of__missing=True, identifier=f"urn:t|{mark}"
    )
    assert [one.id for one in found.fetch_all()] == [header.id]

    header["status"] = "completed"
    header.save()
    assert client.reference("Communication", header.id).to_resource()["status"] == "completed"
    header.delete()
    with pytest.raises(ResourceNotFound):
        client.reference("Communication", header.id).to_resource()


def test_fhirpy_is_told_what_is_wrong(server, authorization) -> None:
    client = SyncFHIRClient(server.base_url + "fhir/R4", authorization=authorization)
    with pytest.raises(OperationOutcome, match="Missing required property"):
        client.resource("Communication").save()


def test_fhirclient_reads_and_writes(server, authorization) -> None:
    smart = smart_server.FHIRServer(None, server.base_url + "fhir/R4/")
    smart.session.headers["Authorization"] = authorization
    name = smart_name.HumanName({"family": "Brisbane" + uuid4().hex[:8], "given": ["Ada"]})
    patient = smart_patient.Patient({"name": [name.as_json()], "birthDate": "1979-02-28"})
    made = patient.create(smart)
    again = smart_patient.Patient.read(made["id"], smart)
    assert again.name[0].family == name.family
    again.gender = "female"
    again.update(smart)
    found = smart_patient.Patient.where({"family": name.family}).perform_resources(smart)
    assert [(one.id, one.gender) for one in found] == [(made["id"], "female")]
