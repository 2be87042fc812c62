"""Mails as providers deliver them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from tests.unit.channels.email.hooks_stand_in import (
    account,
    mailgun,
    mailgun_whole,
    postmark,
    postmark_whole,
    sendgrid,
    sendgrid_whole,
)
from threadwell.channels.delivery import Delivery
from threadwell.channels.email import CHANNEL

LIVE = CHANNEL.live


APART: dict[str, Callable[[bytes], Delivery]] = {
    "sendgrid": sendgrid,
    "mailgun": mailgun,
    "postmark": postmark,
}


WHOLE: dict[str, Callable[[bytes], Delivery]] = {
    "sendgrid": sendgrid_whole,
    "mailgun": mailgun_whole,
    "postmark": postmark_whole,
}


HEADER = """\
Received: from mx.example.org (mx.example.org [192.0.2.7]) by mx.example.net; Mon, 3 Jun 2024 \
09:15:20 +0200
From: "Ana Prado" <ana@example.org>
To: Care Team <care@clinic.example.org>, leo@example.org
Subject: =?utf-8?q?R=C3=BCckfrage?= zum Rezept
Date: Mon, 3 Jun 2024 09:15:02 +0200
Message-ID: <r1@example.org>
In-Reply-To: <q1@clinic.example.org>
References: <q0@clinic.example.org>
 <q1@clinic.example.org>
MIME-Version: 1.0
"""


PIXEL = bytes(range(256)) + b"\r\n --xYzZY\r\n\r\n--xYzZYmore\r\n\n--xYzZY not alone\r\n\x00\r"


#: What mails are like, below their header.
BODIES: dict[str, bytes] = {
    "plain": b"Content-Type: text/plain; charset=utf-8\n\nIst es fertig?\n",
    "latin": b"Content-Type: text/plain; charset=iso-8859-1\n\nIst es f\xfcr mich?\n",
    "quoted": (
        b"Content-Type: text/plain; charset=windows-1252\n"
        b"Content-Transfer-Encoding: quoted-printable\n\nVielen Dank =96 f=FCr alles\n"
    ),
    "japanese": (
        b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + "薬はありますか".encode("iso2022_jp")
    ),
    "flowed": (
        b"Content-Type: text/plain; charset=utf-8; format=flowed\n\nThis line \nis one line.\n"
    ),
    "html": b"Content-Type: text/html; charset=utf-8\n\n<p>Is it <b>ready</b>?</p>\n",
    "both": (
        b'Content-Type: multipart/alternative; boundary="a"\n\n'
        b"--a\nContent-Type: text/plain; charset=utf-8\n\nIs it ready?\n"
        b"--a\nContent-Type: text/html; charset=utf-8\n\n<p>Is it ready?</p>\n--a--\n"
    ),
    "answer": (
        b"Content-Type: text/plain; charset=utf-8\n\nYes, please.\n\n"
        b"On Mon, 3 Jun 2024 at 08:00, Care <care@clinic.example.org> wrote:\n> Shall we?\n"
    ),
    "files": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: text/plain; charset=utf-8\n\nSee below\n"
        b"--m\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment; filename=\"rash 'left'.png\"\n\n"
        + base64.encodebytes(PIXEL)
        + b"--m\nContent-Type: text/csv; charset=utf-8\n"
        b"Content-Disposition: attachment; filename*=utf-8''M%C3%A4rz.csv\n\nday;value\r\n1;5\n"
        b"--m\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n"
        b"Content-Disposition: attachment\n\n" + base64.encodebytes(b"%PDF-1.7\n\xff") + b"--m--\n"
    ),
    "only a file": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n"
        b'Content-Disposition: attachment; filename="a.png"\n\n'
        + base64.encodebytes(PIXEL)
        + b"--m--\n"
    ),
    "forwarded": (
        b'Content-Type: multipart/mixed; boundary="m"\n\n'
        b"--m\nContent-Type: text/plain; charset=utf-8\n\nFor you\n"
        b"--m\nContent-Type: message/rfc822\n"
        b'Content-Disposition: attachment; filename="told.eml"\n\n'
        b"From: bea@example.org\nSubject: Hello\nContent-Type: text/plain\n\nHi\n--m--\n"
    ),
}


def heard(given: Delivery, provider: str, **values: str) -> list[Any]:
    """What a delivery holds."""
    return list(LIVE.parse(given, account(provider, **values), "US"))  # type: ignore[union-attr]


def one(given: Delivery, provider: str) -> Any:
    (found,) = heard(given, provider)
    return found
