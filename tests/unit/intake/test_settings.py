"""Settings that make no sense are told before anything is read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from threadwell.intake import BadSetting, Settings, parse_duration, parse_zone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", timedelta(hours=24)),
        ("90m", timedelta(minutes=90)),
        ("1d12h", timedelta(hours=36)),
        ("2 h 30 m", timedelta(minutes=150)),
    ],
)
def test_parse_duration(text, expected):
    assert parse_duration("gap", text) == expected


@pytest.mark.parametrize("text", ["", "0h", "h", "24", "-1h", "1.5h", "24x", "30m1h"])
def test_no_duration(text):
    with pytest.raises(BadSetting, match="gap"):
        parse_duration("gap", text)


@pytest.mark.parametrize("name", ["", "Middle/Earth", "../etc/passwd", "/etc/localtime"])
def test_no_zone(name):
    with pytest.raises(BadSetting, match="IANA"):
        parse_zone(name)


def test_zone():
    assert parse_zone("America/Chicago").key == "America/Chicago"


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"policy": "per-moon"}, "per-moon"),
        ({"scope": "house"}, "scope 'house' is none of thread, patient"),
        ({"unknown": "guess"}, "unknown 'guess'"),
        ({"organization": "Patient/x"}, "organization"),
        ({"country": "ZZ"}, "country 'ZZ' is no country code"),
        ({"country": "us"}, "country"),
        ({"batch": 0}, "batch"),
    ],
)
def test_settings_are_checked(elements, named):
    with pytest.raises(BadSetting, match=named):
        Settings(**elements)
