#!/usr/bin/env bash
# fhirpy's `count()` and `elements()` ask in words that R4 does not have.
#
# Package    fhirpy 2.3.1
# Expected   `count()` asks with `_summary=count` or `_total=accurate`, as R4 says (§3.1.1.3), and
#            `elements("name")` with `_elements=name`
# Seen       `count()` sends `_count=0&_totalMethod=count`, a parameter of one vendor. A strict server
#            refuses it; a lenient one passes over it, may leave `total` out, and `count()` then
#            raises KeyError. `elements` adds `resourceType`, which is no element
# So         ask `.search(_summary="count").fetch_raw()` and read its `total`
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check fhirpy==2.3.1
"$folder/venv/bin/python" - <<'PYTHON'
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from fhirpy import SyncFHIRClient

asked = []


class Lenient(BaseHTTPRequestHandler):
    """Answers every search with an empty page without a total, as R4 allows."""

    def do_GET(self):
        asked.append(self.path)
        body = json.dumps({"resourceType": "Bundle", "type": "searchset"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Lenient)
threading.Thread(target=server.serve_forever, daemon=True).start()
patients = SyncFHIRClient(f"http://127.0.0.1:{server.server_port}").resources("Patient")
try:
    patients.search(family="Prado").count()
except KeyError as error:
    print("count() raised KeyError", error)
else:
    raise SystemExit("count() does without a total by now")
patients.elements("name").fetch()
patients.search(_summary="count").fetch_raw()
print(*asked, sep="\n")
assert asked[0] == "/Patient?family=Prado&_count=0&_totalMethod=count", asked[0]
assert "resourceType" in asked[1], asked[1]
assert asked[2] == "/Patient?_summary=count", asked[2]
PYTHON
