"""Binary: bytes in and out, JSON for those who ask, and URLs that open an attachment."""

from __future__ import annotations

import base64
import re

import pytest

from threadwell.api.raw import raw
from threadwell.fhir.json import encode
from threadwell.stores.contract import Stored

PLAIN = {"accept": "application/fhir+json"}
BYTES = bytes(range(256)) * 8


@pytest.fixture
def picture(api) -> dict:
    answer = api.call(
        "POST", "Binary?_filename=a.png", BYTES, content_type="image/png", x_medplum="extended"
    )
    assert answer.status_code == 201
    return answer.json()


def test_bytes_come_back_as_they_were(api, picture) -> None:
    assert (picture["resourceType"], picture["contentType"]) == ("Binary", "image/png")
    for accept in (None, "*/*", "image/png"):
        answer = api.call("GET", f"Binary/{picture['id']}", accept=accept)
        assert answer.content == BYTES
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["etag"] == f'W/"{picture["meta"]["versionId"]}"'


def test_as_a_resource_the_data_is_base64(api, picture) -> None:
    path = f"Binary/{picture['id']}"
    for asked in (
        {"accept": "application/fhir+json, */*; q=0.1"},
        {"path": f"{path}?_format=json"},
    ):
        answer = api.call("GET", **({"path": path} | asked))
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert base64.b64decode(answer.json()["data"]) == BYTES


def test_in_bundles_it_has_its_data(api, picture, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"Binary/{picture['id']}"

    def shown(query: str) -> dict:
        (entry,) = api.call("GET", query).json()["entry"]
        return entry["resource"]

    queries = ["Binary", f"{path}/_history"]
    for query in queries:
        assert base64.b64decode(shown(query)["data"]) == BYTES
    (entry,) = api.bundle("batch", api.entry("GET", path)).json()["entry"]
    assert base64.b64decode(entry["resource"]["data"]) == BYTES
    assert "data" not in shown("Binary?_elements=contentType")
    assert (
        "data"
        not in api.call(
            "GET", f"{path}?_elements=contentType", accept="application/fhir+json"
        ).json()
    )
    # Where there is no room for it, nobody takes the part for the whole.
    monkeypatch.setattr("threadwell.api.rest.bundles.MAX_DATA", len(BYTES) - 1)
    for query in queries:
        part = shown(query)
        assert "data" not in part
        assert part["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert api.call("PUT", path, part).status_code == 400


@pytest.mark.parametrize("kind", ["", "batch", "transaction"])
def test_only_medplums_clients_get_a_url(api, picture, kind: str) -> None:
    path = f"Binary/{picture['id']}"
    binary = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}
    for method, url in (("GET", path), ("POST", "Binary"), ("GET", "Binary"), ("PUT", path)):
        named = {**binary, "id": picture["id"]} if method == "PUT" else binary
        body = None if method == "GET" else named
        for headers in (
            PLAIN,
            {**PLAIN, "x_medplum": "extended"},
            {"accept": "application/fhir+json, */*; q=0.1"},
        ):
            if kind:
                answer = api.bundle(kind, api.entry(method, url, body), **headers)
            else:
                answer = api.call(method, url, body, **headers)
            assert answer.status_code in (200, 201)
            assert ("/storage/" in answer.text) is (headers != PLAIN)


def test_posted_as_a_resource(api) -> None:
    data = base64.b64encode(b"a note").decode()
    made = api.make("Binary", contentType="text/plain", data=data)
    assert "data" not in made
    assert api.call("GET", f"Binary/{made['id']}").content == b"a note"
    for wrong in ("!", "é", 7):
        body = {"resourceType": "Binary", "contentType": "text/plain", "data": wrong}
        assert api.call("POST", "Binary", body).status_code == 400


def test_json_that_is_no_binary_is_content(api) -> None:
    for body in (b'{"resourceType":"Patient"}', b"{"):
        made = api.call("POST", "Binary", body, content_type="application/fhir+json").json()
        assert api.call("GET", f"Binary/{made['id']}").content == body


def test_versions_keep_their_bytes(api, picture) -> None:
    path = f"Binary/{picture['id']}"
    second = api.call("PUT", path, b"new", content_type="text/plain").json()
    assert api.call("GET", path).content == b"new"
    old = api.call("GET", f"{path}/_history/{picture['meta']['versionId']}")
    assert (old.content, old.headers["content-type"]) == (BYTES, "image/png")

    nameless = {"resourceType": "Binary", "contentType": "text/plain", "data": "aGk="}
    assert api.call("PUT", path, nameless).status_code == 400
    assert api.call("PUT", f"Binary/{api.never}", b"x", content_type="a/b").status_code == 404

    # What a client read and writes back keeps the bytes.
    same = api.call("PUT", path, second)
    assert same.json()["meta"]["versionId"] == second["meta"]["versionId"]
    changed = api.call("PUT", path, {**second, "contentType": "text/markdown"})
    assert changed.json()["meta"]["versionId"] != second["meta"]["versionId"]
    read = api.call("GET", path)
    assert (read.content, read.headers["content-type"]) == (b"new", "text/markdown")


def test_an_attachment_leads_to_its_bytes(api, picture) -> None:
    payload = [{"contentAttachment": {"contentType": "image/png", "url": picture["url"]}}]
    body = {"resourceType": "Communication", "status": "completed", "payload": payload}
    made = api.make("Communication", **body)
    path = f"Communication/{made['id']}"
    for shown in (made, api.call("GET", "Communication").json()["entry"][0]["resource"]):
        url = shown["payload"][0]["contentAttachment"]["url"]
        answer = api.call("GET", url, authorization=None)
        assert (answer.status_code, answer.content) == (200, BYTES)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"].startswith("private, max-age=")

    # Stored is the Binary, however old the URL is that comes back.
    api.clock.now += 86_400_000
    assert api.call("PUT", path, made).json()["meta"] == made["meta"]
    found = api.call("GET", path).json()
    assert found["payload"] != made["payload"]
    api.call("DELETE", f"Binary/{picture['id']}")
    kept = api.call("GET", path).json()["payload"][0]["contentAttachment"]["url"]
    assert kept == f"Binary/{picture['id']}"


def test_urls_are_equal_for_a_while(api, picture) -> None:
    seconds = (0, 1, 100, 900)
    urls = []
    for passed in seconds:
        api.clock.now = 1_710_072_000_000 + passed * 1000
        read = api.call(
            "GET", f"Binary/{picture['id']}", accept="application/fhir+json", x_medplum="extended"
        )
        urls.append(read.json()["url"])
    assert urls[0] == urls[1] == urls[2] != urls[3]


def test_a_url_opens_only_what_was_signed(api, picture) -> None:
    other = api.call("POST", "Binary", b"other", content_type="text/plain").json()
    url = picture["url"]
    for wrong in (
        url.replace(picture["id"], other["id"]),
        url.replace(picture["meta"]["versionId"], other["meta"]["versionId"]),
        re.sub(r"Expires=\d+", "Expires=99999999999", url),
        re.sub(r"Expires=\d+", "Expires=never", url),
        re.sub("Signature=.", "Signature=g", url),
        url.partition("?")[0],
    ):
        answer = api.call("GET", wrong, authorization=None)
        assert (answer.status_code, answer.json()["id"]) == (403, "forbidden")
    assert api.call("GET", url, authorization=None).status_code == 200
    api.clock.now += 2 * 3_600_000
    assert api.call("GET", url, authorization=None).status_code == 403


def test_a_url_of_anothers_making_is_left_alone(api, picture) -> None:
    url = re.sub("Signature=.{8}", "Signature=00000000", picture["url"])
    payload = [{"contentAttachment": {"url": url}}]
    made = api.make("Communication", status="completed", payload=payload)
    assert made["payload"] == payload


def test_xml_is_content_as_any_other(api) -> None:
    made = api.call("POST", "Binary", b"<a/>", content_type="application/xml").json()
    answer = api.call("GET", f"Binary/{made['id']}", accept="application/xml")
    assert (answer.status_code, answer.content) == (200, b"<a/>")


@pytest.mark.parametrize(
    ("content_type", "inert"),
    [
        ("text/html", False),
        ("text/html; charset=utf-7", False),
        ("text/xml", False),
        ("text/javascript", False),
        ("image/svg+xml", False),
        ("image/made-up", False),
        ("application/xhtml+xml", False),
        ("application/octet-stream", False),
        ("image/png", True),
        ("text/plain; charset=utf-8", True),
        ("application/pdf", True),
    ],
)
def test_content_never_runs_as_a_page_of_ours(api, content_type: str, inert: bool) -> None:
    made = api.call(
        "POST", "Binary", b"<script>", content_type=content_type, x_medplum="extended"
    ).json()
    for path in (f"Binary/{made['id']}", made["url"]):
        answer = api.call("GET", path)
        headers = answer.headers
        assert answer.content == b"<script>"
        assert headers["content-type"] == content_type
        assert headers["x-content-type-options"] == "nosniff"
        assert ("sandbox" in headers.get("content-security-policy", "")) is not inert
        assert headers.get("content-disposition") == (None if inert else "attachment")


@pytest.mark.parametrize(
    ("stored", "served"),
    [
        ("text/plain\r\nset-cookie: a=b", "application/octet-stream"),
        ("image/png, text/html", "application/octet-stream"),
        ("image/png;text/html", "image/png"),
        ("text/html image/png", "application/octet-stream"),
        ("IMAGE/PNG", "image/png"),
        ('image/png; name="<b>"', "image/png"),
        ("text/plain; charset=x; boundary=y", "text/plain; charset=x"),
        ("", "application/octet-stream"),
        ("\u00a0text/html", "application/octet-stream"),
        (None, "application/octet-stream"),
        (["text/html"], "application/octet-stream"),
    ],
)
def test_what_an_older_version_has_stored(stored: object, served: str) -> None:
    body = encode({"resourceType": "Binary", "contentType": stored})
    headers = dict(raw(Stored("Binary", "1", "1", 0, False, body), b"x").headers)
    assert headers[b"content-type"].decode() == served
    assert headers[b"x-content-type-options"] == b"nosniff"
    is_download = served == "application/octet-stream"
    assert (headers.get(b"content-disposition") == b"attachment") is is_download


def test_security_context(api) -> None:
    made = api.call(
        "POST", "Binary", b"x", content_type="text/plain", x_security_context="Patient/1"
    )
    assert made.json()["securityContext"] == {"reference": "Patient/1"}


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-1", 0, 1),
        ("bytes=0-", 0, 2047),
        ("bytes=2000-9999", 2000, 2047),
        ("bytes=-5", 2043, 2047),
        ("bytes=-9999", 0, 2047),
        ("Bytes= 7 - 7", 7, 7),
    ],
)
def test_a_part_is_sent_to_who_asks_for_it(api, picture, asked, first, last) -> None:
    for path in (f"Binary/{picture['id']}", picture["url"]):
        answer = api.call("GET", path, range=asked)
        assert answer.status_code == 206
        assert answer.content == BYTES[first : last + 1]
        assert answer.headers["content-range"] == f"bytes {first}-{last}/2048"
        assert answer.headers["content-length"] == str(last - first + 1)
        assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "asked", ["bytes=3-1", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=a-b", "bytes", ""]
)
def test_ranges_that_say_nothing_get_the_whole(api, picture, asked) -> None:
    answer = api.call("GET", f"Binary/{picture['id']}", range=asked)
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=9999-99999", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(api, picture, asked) -> None:
    answer = api.call("GET", f"Binary/{picture['id']}", range=asked)
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */2048"
    assert answer.json()["issue"][0]["code"] == "value"


def test_a_part_of_another_version_is_never_sent(api, picture) -> None:
    path = f"Binary/{picture['id']}"
    modified = api.call("GET", path).headers["last-modified"]
    part = api.call("GET", path, range="bytes=0-1", if_range=modified)
    assert (part.status_code, part.content) == (206, BYTES[:2])
    for condition in (f'W/"{picture["meta"]["versionId"]}"', "Mon, 01 Jan 2024 00:00:00 GMT"):
        whole = api.call("GET", path, range="bytes=0-1", if_range=condition)
        assert (whole.status_code, whole.content) == (200, BYTES)


def test_the_head_of_a_part_is_that_of_the_whole(api, picture) -> None:
    answer = api.call("HEAD", f"Binary/{picture['id']}", range="bytes=0-1")
    assert (answer.status_code, answer.headers["content-length"]) == (200, "2048")
