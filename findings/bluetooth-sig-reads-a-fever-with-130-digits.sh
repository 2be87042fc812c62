#!/usr/bin/env bash
# bluetooth-sig reads a blood pressure of 120 as 0.0000012, and a temperature of 37.1 with 130 digits.
#
# Package    bluetooth-sig 0.6.0, what health devices send by Bluetooth, decoded
# Expected   the exponents of SFLOAT and FLOAT are signed (IEEE 11073-20601, Annex F.7 and F.8: two's complement, four
#            and eight bits): 78 00 is 120, and 73 01 00 FF is 371e-1. A glucose meter sends kg/L or mol/L (Glucose
#            Service, §3.1.1, flag 2): 64 B0 is 100e-5 kg/L, which are 100 mg/dL. The time zone of a CGM session is
#            signed: EC are -20 quarters of an hour, New York in winter (CGM Service, §3.4)
# Seen       8 and 128 are taken off exponents that have none added. 120 mmHg are 1.2e-06 mmHg, an SpO2 of 98 is
#            9.8e-07, 37.1 °C are 3.71e+129, and 100 mg/dL are 100 000: of kg/L, and called "mg/dL"; mol/L are called
#            "mmol/L". The time zone is 236. Nothing is raised, also where values are validated. What it encodes itself
#            it decodes rightly: a test that goes both ways passes, and a device understands nothing
# So         decode SFLOAT and FLOAT yourself, and try it with the bytes of a device
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check bluetooth-sig==0.6.0
"$folder/venv/bin/python" - <<'PYTHON'
from bluetooth_sig import BluetoothSIGTranslator

translator = BluetoothSIGTranslator()


def read(characteristic: str, octets: str) -> object:
    return translator.parse_characteristic(characteristic, bytes.fromhex(octets))


pressure = read("2A35", "00 7800 5000 5D00")  # 120 over 80, mean 93
print("120 mmHg is", pressure.systolic, pressure.unit.value)
assert f"{pressure.systolic:.2e}" == "1.20e-06", pressure
oxygen = read("2A5E", "00 6200 4800")  # 98 %, 72 a minute
print("98 % is", oxygen.spo2)
assert f"{oxygen.spo2:.2e}" == "9.80e-07", oxygen
fever = read("2A1C", "00 730100FF")  # 371 and an exponent of -1
print("37.1 is", fever.temperature, fever.unit.value)
assert f"{fever.temperature:.2e}" == "3.71e+129", fever

moment = "E8070B0F0A1E00"  # 15 November 2024, 10:30
mass = read("2A18", f"02 0100 {moment} 64B0 11")  # 100e-5 kg/L
amount = read("2A18", f"06 0200 {moment} 37C0 11")  # 55e-4 mol/L
for meter, told in ((mass, "100 mg/dL"), (amount, "5.5 mmol/L")):
    print(told, "is", meter.glucose_concentration, meter.unit)
assert (mass.glucose_concentration, mass.unit) == (100_000.0, "mg/dL"), mass
assert (amount.glucose_concentration, amount.unit) == (550_000.0, "mmol/L"), amount

session = read("2AAA", f"{moment} EC 00")
print("-20 quarters of an hour are", session.time_zone)
assert session.time_zone == 236, session

from bluetooth_sig.gatt.characteristics.utils import IEEE11073Parser as medical

again = medical.parse_sfloat(medical.encode_sfloat(120.0))
print("encoded and decoded by itself:", again, medical.encode_sfloat(120.0).hex())
assert again == 120.0
assert medical.encode_sfloat(120.0).hex() == "7880"  # to a device 120e-8
PYTHON
