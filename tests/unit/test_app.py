"""The composition root: which store a URL names, and that the channels it lists are all there."""

from __future__ import annotations

from pathlib import Path

import pytest

import threadwell.channels
from threadwell.app import CHANNEL_NAMES, channel_labels, channels
from threadwell.stores.urls import shown_store, store_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("practice.db", Path("practice.db")),
        ("/var/lib/practice.db", Path("/var/lib/practice.db")),
        ("sqlite:///practice.db", Path("practice.db")),
        ("sqlite:////var/lib/practice.db", Path("/var/lib/practice.db")),
        ("sqlite:///my%20practice.db", Path("my practice.db")),
        (Path("a/b.db"), Path("a/b.db")),
        (":memory:", None),
        ("sqlite:///:memory:", None),
        ("postgresql://host/practice", None),
    ],
)
def test_a_url_names_a_file_or_none(url: str | Path, path: Path | None) -> None:
    assert store_path(url) == path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("practice.db", "practice.db"),
        ("sqlite:///a:b@c.db", "sqlite:///a:b@c.db"),
        ("postgresql://ana:secret@host:5432/practice", "postgresql://ana@host:5432/practice"),
        ("postgres://host/practice?password=secret", "postgres://host/practice"),
        (
            "postgres:///practice?host=%2Frun&pass%77ord=a%26b&sslpassword=c&schema=x",
            "postgres:///practice?host=%2Frun&schema=x",
        ),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert shown_store(url) == shown


def test_every_channel_is_listed() -> None:
    folders = {
        path.parent.name for path in Path(threadwell.channels.__path__[0]).glob("*/README.md")
    }
    names = [channel.name for channel in channels()]
    assert tuple(names) == CHANNEL_NAMES
    assert {channel.name for channel in channels()} == folders


def test_no_two_channels_are_called_the_same() -> None:
    labels = list(channel_labels().values())
    assert len({label.casefold() for label in labels}) == len(channels())
    assert all(labels)
