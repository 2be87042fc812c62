"""JSON in and out: what keeps its digits, and what is refused."""

import pytest

from threadwell.fhir.json import MAX_DEPTH, BadJson, decode, encode, parse


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


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a":"\\ud800"}', "half of a surrogate pair"),
        (b'{"a":"x\\uDC00y"}', "half of a surrogate pair"),
        (b'{"a":"\\ud83d\\ude00", "b":"\\udbff"}', "half of a surrogate pair"),
        ('{"a":"\ud800"}', "half of a surrogate pair"),
        (b'{"a":"\xff"}', "not UTF-8 (byte 6)"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8 (byte 6)"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\\\\\\\\ud800",}', "trailing comma"),
        (b'{"a":1,}', "trailing comma in object (byte 7)"),
        (b"[" * 102 + b"]" * 102, "nested deeper than 100 levels"),
        (b'{"a":' * 100_000, "nested deeper than 100 levels"),
    ],
)
def test_the_reason_is_told(text, why):
    with pytest.raises(BadJson) as refused:
        decode(text)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}',
        b'{"a" : "b\\":c", "d" : "\\u0022" }',
        b'{"a":"\\u00e9\\\\","b":""}',
    ],
)
def test_members_of_several_objects_may_have_one_name(text):
    assert parse(text) == decode(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (b'{"id":"1","id":"2"}', '"id"'),
        (b'[{"x":{"a" : 1, "b":2, "a" : 1}}]', '"a"'),
        (b'{"a":1,"\\u0061":"\\u0022"}', '"a"'),
        (b'{"a":"\\u0022\\u0022","a":0}', '"a"'),
    ],
)
def test_a_member_that_stands_twice_is_refused(text, name):
    decode(text)
    with pytest.raises(BadJson, match=f"the member {name} stands twice"):
        parse(text)
