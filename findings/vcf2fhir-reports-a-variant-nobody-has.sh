#!/usr/bin/env bash
# vcf2fhir reports a variant that the patient does not have, and takes the healthy share of a sample for the mutated one.
#
# Packages   vcf2fhir 0.1.1 with pandas 1.5.3 and numpy 1.26.4 (it calls what pandas 2 has not); VCF to HL7's Genomics
#            Reporting
# Expected   GT 0|2 is the reference and the second ALT (VCF 4.3, §1.6.2): with ALT "T,G" the patient has G, and no T;
#            SPDI names one deletion and one insertion for each. AD has the reads of each allele, those of the reference
#            first: 5,95 of 100 are 95 % mutated, allelic frequency (LOINC 81258-6) 0.95. 0|1 and 0|2 of one phase set
#            lie on one chromosome: Cis
# Seen       each ALT of a line is "present" and heterozygous, whatever GT says, and both have the SPDI C:TG, a change
#            that nobody has. The frequency is that of the reference: of m.3243A>G with 95 % mutated it says 0.05, and
#            of m.11778G>A with half a per cent "homoplasmic", 0.995. 0|1 and 0|2 are Trans, and so is each pair whose
#            GT are not the same text. Nothing is raised or logged
# So         write one ALT a line before (bcftools norm -m-), and compute frequency and phase yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3.11 -m venv venv
venv/bin/pip install -q --disable-pip-version-check vcf2fhir==0.1.1 pandas==1.5.3 numpy==1.26.4
venv/bin/python -W ignore - <<'PYTHON'
import json

import vcf2fhir

HEAD = """##fileformat=VCFv4.3
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Read depth for each allele">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT P1
"""
SPDI, STATE, FREQUENCY, ALT, PHASE = "48004-6", "53034-5", "81258-6", "69551-0", "82120-7"


def converted(*lines: str) -> list[dict[str, object]]:
    head, columns = HEAD.rstrip("\n").rsplit("\n", 1)
    rows = [columns, *lines]
    with open("in.vcf", "w") as file:
        file.write("\n".join([head, *("\t".join(row.split(" ")) for row in rows)]) + "\n")
    maker = vcf2fhir.Converter("in.vcf", "GRCh37", genomic_source_class="germline")
    maker.convert("out.json")
    with open("out.json") as file:
        return json.load(file)["contained"]


def parts(observation: dict[str, object]) -> dict[str, object]:
    found = {}
    for part in observation.get("component", []):
        coding = part.get("valueCodeableConcept", {}).get("coding", [{}])[0]
        value = coding.get("display") or coding.get("code") or part.get("valueString")
        found[part["code"]["coding"][0]["code"]] = value or part.get("valueQuantity", {}).get("value")
    return found


def is_a(observation: dict[str, object], code: str) -> bool:
    return observation["code"]["coding"][0]["code"] == code


made = converted(
    "10 96540410 . G A 100 PASS . GT:PS 0|1:1",
    "10 96541616 . C T,G 100 PASS . GT:PS 0|2:1",
)
variants = [parts(one) for one in made if is_a(one, "69548-6")]
for one in variants:
    print(one[ALT], one[STATE], one[SPDI])
assert [one[ALT] for one in variants] == ["A", "T", "G"]
assert [one[SPDI] for one in variants[1:]] == ["NC_000010.10:96541615:C:TG"] * 2
phases = [one["valueCodeableConcept"]["coding"][0]["code"] for one in made if is_a(one, PHASE)]
print("0|1 and 0|2:", phases)
assert phases == ["Trans"]

for line, state, frequency in (
    ("chrM 3243 . A G 100 PASS . GT:AD:DP 1:5,95:100", "heteroplasmic", 0.05),
    ("chrM 11778 . G A 100 PASS . GT:AD:DP 1:995,5:1000", "homoplasmic", 0.995),
):
    (one,) = (parts(one) for one in converted(line) if is_a(one, "69548-6"))
    print(line, "->", one[STATE], one[FREQUENCY])
    assert one[STATE] == state
    assert round(float(one[FREQUENCY]), 3) == frequency
PYTHON
