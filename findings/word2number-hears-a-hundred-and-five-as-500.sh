#!/usr/bin/env bash
# word2number hears "a hundred and five" as 500, and "ten to twenty milligrams" as 30.
#
# Packages   word2number 1.1; text2num 3.1.0 beside it (PyPI), numbers that were spoken
# Expected   "a hundred" is "one hundred"; a number below nought, one of two numbers, or one with a half is read as such, or
#            raises, as what holds no number does (ValueError, "No valid number words found")
# Seen       each word that is no number is left out, and what is left is put together by multiplying and adding: "a hundred and
#            five" is 500, "a hundred and sixty two" 6002, and a fever of "a hundred and one point three" 100.3. "ten to
#            twenty" is 30, "two five hundred milligram tablets" are 110, "minus two point five" is 2.5, "two and a half"
#            is 2, a pressure of "one hundred sixty two over ninety four" is 1, and the year "nineteen eighty four" is 1524.
#            text2num leaves what it does not know as it was said
# So         give it nothing of a transcript but a single number that begins with a number; better, use text2num
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check word2number==1.1 text2num==3.1.0
"$folder/venv/bin/python" - <<'PYTHON'
from text_to_num import alpha2digit
from word2number import w2n


def look(said: str, expected: float, other: str) -> None:
    found, beside = w2n.word_to_num(said), alpha2digit(said, "en")
    print(f"{said:<40} {found:<6} {beside}")
    assert (found, beside) == (expected, other), (found, beside)


look("one hundred and five", 105, "105")
look("a hundred and five", 500, "a 105")
look("a hundred and sixty two", 6002, "a 162")
look("one hundred and one point three", 101.3, "101.3")
look("a hundred and one point three", 100.3, "a 101.3")
look("ten to twenty milligrams", 30, "10 to 20 milligrams")
look("two five hundred milligram tablets", 110, "2 500 milligram tablets")
look("minus two point five", 2.5, "minus 2.5")
look("two and a half tablets", 2, "two and a half tablets")
look("one hundred sixty two over ninety four", 1, "162 over 94")
look("nineteen eighty four", 1524, "19 84")
try:
    w2n.word_to_num("none")
except ValueError as error:
    assert str(error).startswith("No valid number words found!"), error
else:
    raise AssertionError("no number, and no error")
PYTHON
echo "OK: as described"
