"""Texts and files of mails, by the parts they are made of."""

from __future__ import annotations

from base64 import b64encode

import pytest

from threadwell.channels.email import body as notes
from threadwell.channels.email import transfer
from threadwell.channels.email.body import read_body
from threadwell.channels.email.mime import (
    GUESSED_BOUNDARY,
    MAX_DEPTH,
    NO_BOUNDARY,
    NOT_CLOSED,
    TOO_DEEP,
    parse,
)

PLAIN = "Content-Type: text/plain\n\nHello\n"
HTML = "Content-Type: text/html\n\n<p>Hello in HTML</p>\n"
PHOTO = (
    'Content-Type: image/jpeg; name="knee.jpg"\nContent-Transfer-Encoding: base64\n\n'
    f"{b64encode(b'photo').decode()}\n"
)


def multi(subtype: str, *parts: str, end: str = "--b--\n") -> str:
    """A multipart with the boundary ``b`` (``c`` for one within it)."""
    joined = "".join(f"--b\n{part}" for part in parts)
    return f"Content-Type: multipart/{subtype}; boundary=b\n\n{joined}{end}"


def inner(subtype: str, *parts: str) -> str:
    return multi(subtype, *parts).replace("--b", "--c").replace("=b", "=c")


@pytest.mark.parametrize(
    ("mail", "text", "files"),
    [
        pytest.param(PLAIN, "Hello", [], id="plain"),
        pytest.param("\nHello", "Hello", [], id="no header"),
        pytest.param(HTML, "Hello in HTML", [], id="HTML alone"),
        pytest.param(multi("alternative", PLAIN, HTML), "Hello", [], id="alternative"),
        pytest.param(multi("alternative", HTML, PLAIN), "Hello", [], id="plain comes last"),
        pytest.param(
            multi("alternative", "Content-Type: text/plain\n\n \n", HTML),
            "Hello in HTML",
            [],
            id="plain is blank",
        ),
        pytest.param(
            multi("alternative", PLAIN, PLAIN.replace("Hello", "World")),
            "Hello\n\nWorld",
            [],
            id="two plain alternatives",
        ),
        pytest.param(
            multi("alternative", PLAIN, inner("related", HTML, PHOTO)),
            "Hello",
            ["knee.jpg"],
            id="inline image beside HTML",
        ),
        pytest.param(multi("mixed", PLAIN, PHOTO), "Hello", ["knee.jpg"], id="attachment"),
        pytest.param(
            multi("mixed", PLAIN, PHOTO, PLAIN.replace("Hello", "Bye")),
            "Hello\n\nBye",
            ["knee.jpg"],
            id="text around an image",
        ),
        pytest.param(
            multi("mixed", inner("alternative", PLAIN, HTML), PHOTO),
            "Hello",
            ["knee.jpg"],
            id="alternative within mixed",
        ),
        pytest.param(
            multi("mixed", PLAIN, "Content-Disposition: attachment\n\nlog\n"),
            "Hello",
            ["attachment-1.txt"],
            id="text as attachment without a name",
        ),
        pytest.param(
            multi("mixed", PLAIN, 'Content-Disposition: inline; filename="n.txt"\n\nnote\n'),
            "Hello",
            ["n.txt"],
            id="named text",
        ),
        pytest.param(
            multi("mixed", PLAIN, "Content-Type: message/rfc822\n\nSubject: x\n\nforwarded\n"),
            "Hello",
            ["message-1.eml"],
            id="forwarded mail",
        ),
        pytest.param(
            multi("digest", "\nSubject: x\n\none\n", "\nSubject: y\n\ntwo\n"),
            "",
            ["message-1.eml", "message-2.eml"],
            id="digest",
        ),
        pytest.param(
            multi("mixed", PLAIN, "Content-Type: application/ms-tnef; name=winmail.dat\n\nx\n"),
            "Hello",
            ["winmail.dat"],
            id="winmail.dat",
        ),
        pytest.param(
            multi("signed", PLAIN, "Content-Type: application/pgp-signature\n\nx\n"),
            "Hello",
            ["attachment-1.asc"],
            id="signed",
        ),
        pytest.param("Content-Type: image/png\n\nx", "", ["attachment-1.png"], id="only a file"),
        pytest.param("Content-Type: text\n\nHello", "Hello", [], id="type without a subtype"),
        pytest.param(
            "Content-Type: text/plain; format=flowed; delsp=yes\n\n"
            "Hel \nlo \n\nyou\n> a \n> b\n-- \nx",
            "Hello\nyou\n> ab\n-- \nx",
            [],
            id="flowed",
        ),
        pytest.param(
            'Content-Type: text/plain; name="body.txt"\n\nHello', "Hello", [], id="a named body"
        ),
        pytest.param(
            "Content-Disposition: inline; filename=body.txt\n\nHello", "Hello", [], id="inline body"
        ),
        pytest.param(
            "Content-Disposition: attachment; filename=log.txt\n\nlog", "", ["log.txt"], id="a file"
        ),
        pytest.param(
            multi("mixed", PHOTO, PLAIN.replace("plain", "plain; name=a.txt")),
            "Hello",
            ["knee.jpg"],
            id="a named text beside a picture",
        ),
        pytest.param(
            multi("mixed", "\n\n", PLAIN.replace("plain", "plain; name=a.txt")),
            "",
            ["a.txt"],
            id="a named text beside an empty one",
        ),
        pytest.param(
            multi("alternative", PLAIN.replace("plain", "plain; name=a.txt"), HTML),
            "Hello in HTML",
            ["a.txt"],
            id="a named text beside HTML",
        ),
        pytest.param(
            multi("mixed", "Content-Disposition: inline; filename=a.html\n" + HTML, PHOTO),
            "Hello in HTML",
            ["knee.jpg"],
            id="named HTML",
        ),
        pytest.param("Content-Type: text/plain\n\na\r\nb\x00\x07c\r\n", "a\nbc", [], id="controls"),
    ],
)
def test_text_and_files(mail: str, text: str, files: list[str]) -> None:
    body = read_body(parse(mail.encode()))
    assert body.text == text
    assert [file.filename for file in body.attachments] == files


@pytest.mark.parametrize(
    ("mail", "text", "note"),
    [
        pytest.param(multi("mixed", PLAIN, end=""), "Hello", NOT_CLOSED, id="cut off"),
        pytest.param(
            "Content-Type: multipart/mixed; boundary=other\n\n--b\n\nHello\n--b--\n",
            "Hello",
            GUESSED_BOUNDARY,
            id="wrong boundary",
        ),
        pytest.param(
            "Content-Type: multipart/mixed\n\nno parts here",
            "no parts here",
            NO_BOUNDARY,
            id="none",
        ),
        pytest.param(HTML, "Hello in HTML", notes.FROM_HTML, id="HTML"),
        pytest.param(
            "Content-Transfer-Encoding: base64\n\nSGVsbG8\n!!!\n",
            "Hello",
            transfer.BAD_BASE64,
            id="b64",
        ),
        pytest.param(
            "Content-Transfer-Encoding: rot13\n\nUryyb",
            "Uryyb",
            transfer.UNKNOWN_ENCODING,
            id="unknown encoding",
        ),
    ],
)
def test_flaws_are_noted(mail: str, text: str, note: str) -> None:
    body = read_body(parse(mail.encode()))
    assert body.text == text
    assert note in body.notes


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("base64", b64encode("Grüße".encode())),
        ("BASE64", b64encode("Grüße".encode())[:4] + b"\r\n" + b64encode("Grüße".encode())[4:]),
        ("base64;", b64encode("Grüße".encode())),
        ("quoted-printable", b"Gr=C3=BC=\n=C3=9Fe"),
        ("Quoted-Printable ", b"Gr=c3=bc=c3=9fe"),
        ("quoted-printable", b"Gr=C3=BC= \t\r\n=C3=9Fe"),
        ("quoted-printable", b"Gr=C3=BC=C3=9F=\r\ne="),
        ("base64", b64encode("Grü".encode()) + b"\n" + b64encode("ße".encode())),
        ("base64", b"R3I=\r\nw7w=\r\nw58=\r\nZQ==\r\n"),
        ("base64", b"R3LDvMOfZQ\n"),
        ("8bit", "Grüße".encode()),
        ("7-bit", "Grüße".encode()),
        ("x-uuencode", b"begin 644 x.txt\n'1W+#O,.?90``\n`\nend\n"),
    ],
)
def test_transfer_encodings(encoding: str, content: bytes) -> None:
    header = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n"
    assert read_body(parse(header.encode() + content)).text == "Grüße"


def test_what_stands_behind_base64_is_text_and_no_file() -> None:
    coded = f"{b64encode(b'Hello you').decode()}==\n\n-- \nThe list: https://example.org/list\n"
    header = "Content-Transfer-Encoding: base64\n"
    text = read_body(parse(f"{header}\n{coded}".encode()))
    (file,) = read_body(parse(f"Content-Type: image/png\n{header}\n{coded}".encode())).attachments
    assert text.text.split("\n") == ["Hello you", "-- ", "The list: https://example.org/list"]
    assert file.content == b"Hello you"


def test_html_in_the_charset_that_it_names() -> None:
    html = '<meta charset="windows-1251"><p>Болит колено</p>'
    mail = b"Content-Type: text/html\n\n" + html.encode("cp1251")
    assert read_body(parse(mail)) == notes.Body("Болит колено", [], [notes.FROM_HTML])


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('filename="knee x-ray.jpg"', "knee x-ray.jpg"),
        ("filename=knee x-ray.jpg", "knee x-ray.jpg"),
        ("filename*=utf-8''R%C3%B6ntgen.jpg", "Röntgen.jpg"),
        ("filename*0*=iso-8859-1''R%F6nt; filename*1=\"gen.jpg\"", "Röntgen.jpg"),
        ("filename*1=b.jpg; filename*0=a", "ab.jpg"),
        ('filename="=?utf-8?q?R=C3=B6ntgen=2Ejpg?="', "Röntgen.jpg"),
        ('filename="a;b.jpg"', "a;b.jpg"),
        ('filename="say \\"ah\\".jpg"', "say _ah_.jpg"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\scans\\\\a.jpg"', "a.jpg"),
        ('filename="first.jpg"; filename="second.jpg"', "first.jpg"),
        ('filename="never closed.jpg', "never closed.jpg"),
        ("FileName=A.jpg", "A.jpg"),
    ],
)
def test_names_of_files(field: str, name: str) -> None:
    mail = f"Content-Type: image/jpeg\nContent-Disposition: attachment; {field}\n\nx"
    (attachment,) = read_body(parse(mail.encode())).attachments
    assert (attachment.filename, attachment.content_type) == (name, "image/jpeg")


@pytest.mark.parametrize("between", ["; ", " ", ";", "\n\t", "; charset=x ; "])
def test_name_in_the_content_type(between: str) -> None:
    mail = f'Content-Type: Application/PDF{between}name="lab results.pdf"\n\nx'
    (attachment,) = read_body(parse(mail.encode())).attachments
    assert (attachment.filename, attachment.content_type) == ("lab results.pdf", "application/pdf")


def test_a_file_keeps_its_bytes_and_type() -> None:
    (photo,) = read_body(parse(multi("mixed", PLAIN, PHOTO).encode())).attachments
    assert (photo.content_type, photo.content) == ("image/jpeg", b"photo")


def test_nested_without_end() -> None:
    mail = PLAIN
    for level in range(MAX_DEPTH + 5):
        mail = (
            f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n{mail}--b{level}--\n"
        )
    body = read_body(parse(mail.encode()))
    assert TOO_DEEP in body.notes
    assert b"Hello" in (body.attachments[0].content or b"")
