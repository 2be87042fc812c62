"""JSON in and out: what keeps its digits, and what is refused."""

import pytest

from threadwell.fhir.json import MAX_DEPTH, BadJson, decode, encode


@pytest.mark.parametrize("number", ["1.10", "100", "-0.0", "1E+400", "1E-400", "1" * 40 + ".5"])
def test_numbers_keep_their_digits(number):
    assert encode(decode(number)) == number.encode()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{} {}",
        b"NaN",
        b'"\xe9"',
        b'"\\ud800"',
        b'\xef\xbb\xbf{"a":1}',
        b"1E+99999999999999999999",
        b"1E-99999999999999999999",
        b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_here(text):
    with pytest.raises(BadJson):
        decode(text)


def test_an_error_does_not_repeat_the_text():
    with pytest.raises(BadJson) as refused:
        decode(b'{"family":"Prado" 5}')
    assert "Prado" not in str(refused.value)
