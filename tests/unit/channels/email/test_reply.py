"""What was written now, in mails that quote."""

from __future__ import annotations

from textwrap import dedent

import pytest

from threadwell.channels.email.reply import new_text

CASES = {
    "nothing to strip": ("Hello\n\nSee you on Monday.", "Hello\n\nSee you on Monday."),
    "answer on top": (
        """
        Yes, please.

        On Wed, 10 Apr 2024 at 09:00, Clinic <care@clinic.example.org> wrote:

        > Shall we refill?
        >
        > The care team
        """,
        "Yes, please.",
    ),
    "answer at the bottom": (
        """
        On 10 Apr 2024, at 9:00, Clinic wrote:
        > Shall we refill?

        Yes, please.
        """,
        "Yes, please.",
    ),
    "answers in between": (
        """
        Hi,
        On Wed, 2024-04-10 at 09:00 +0200, Clinic wrote:
        > Any fever?
        No.

        > Any pain?
        > Where?

        In the left knee.
        Since Monday.
        """,
        "Hi,\n\nNo.\n\nIn the left knee.\nSince Monday.",
    ),
    "introduction over three lines": (
        """
        Yes
        On Wed, Apr 10, 2024 at 9:00 AM Clinic of the two rivers
        <care@clinic.example.org>
        wrote:
        > Shall we refill?
        """,
        "Yes",
    ),
    "quoted without marks": (
        """
        Yes, please.

        On Wed, Apr 10, 2024 at 9:00 AM Clinic <care@clinic.example.org> wrote:

        Shall we refill?
        """,
        "Yes, please.",
    ),
    "German": (
        "Ja, bitte.\n\nAm 10.04.2024 um 09:00 schrieb Praxis <care@clinic.example.org>:\n> Rezept?",
        "Ja, bitte.",
    ),
    "French": ("Oui\n\nLe mer. 10 avr. 2024 à 09:00, Cabinet a écrit :\n\n> Alors ?", "Oui"),
    "Spanish": ("Sí\n\nEl mié, 10 abr 2024 a las 9:00, Clínica escribió:\n> ¿Receta?", "Sí"),
    "Portuguese": ("Sim\n\nEm 10 de abr. de 2024, Clínica escreveu:\n> Receita?", "Sim"),
    "Italian": ("Sì\n\nIl giorno 10 apr 2024, alle ore 09:00, Studio ha scritto:\n> Bene?", "Sì"),
    "Dutch": ("Ja\n\nOp wo 10 apr. 2024 om 09:00 schreef Praktijk <p@example.org>:\n> Goed?", "Ja"),
    "Russian": ("Да\n\n10 апр. 2024 г., 09:00, Клиника <k@example.org> написал(а):\n> Как?", "Да"),
    "Japanese": ("はい\n\n2024年4月10日(水) 9:00 医院 <care@clinic.example.org>:\n> どう", "はい"),
    "date first, no verb": ("Ok\n\n2024/4/10 Clinic <care@clinic.example.org>:\n> Shall we?", "Ok"),
    "Outlook": (
        """
        Yes, please.

        From: Clinic <care@clinic.example.org>
        Sent: Wednesday, April 10, 2024 9:00 AM
        To: Ana Prado <ana@example.org>
        Subject: Refill

        Shall we refill?
        """,
        "Yes, please.",
    ),
    "Outlook in German, with a rule": (
        """
        Ja
        ________________________________
        Von: Praxis <care@clinic.example.org>
        Gesendet: Mittwoch, 10. April 2024 09:00
        An: Ana Prado
        Betreff: Rezept

        Rezept?
        """,
        "Ja",
    ),
    "Original Message": (
        """
        Yes

        -----Original Message-----
        From: Clinic
        To: Ana
        Cc:
        Sent: Wednesday
        Subject: Refill

        Shall we?
        """,
        "Yes",
    ),
    "header block above marked lines": (
        """
        -------- Original Message --------
        From: Clinic
        Date: Wed, 10 Apr 2024
        Subject: Refill

        > Shall we?

        Yes
        """,
        "Yes",
    ),
    "marked lines alone": ("Yes\n\n> Shall we refill\n> the tablets\n> of March?", "Yes"),
    "signature": ("Hello\n\n-- \nAna Prado\n+1 555 0100", "Hello"),
    "signature above the quotation": (
        "Yes\n\n-- \nAna Prado\n\nOn 10 Apr 2024, Clinic wrote:\n> Shall we?\n\nP.S. thanks",
        "Yes\n\nP.S. thanks",
    ),
    "phone": ("Hello\n\nSent from my iPhone", "Hello"),
    "phone in German": ("Hallo\n\nVon meinem iPhone gesendet", "Hallo"),
    "phone in Spanish": ("Hola\n\nEnviado desde mi Samsung Galaxy", "Hola"),
    "Outlook for phones": ("Hello\n\nGet Outlook for iOS<https://example.com>", "…"),
    "forward with a word on top": (
        "Please see below.\n\n---------- Forwarded message ---------\nFrom: Ben\n\nHello Ana",
        "Please see below.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_only_what_is_new_is_left(case: str) -> None:
    text, left = (dedent(part).strip("\n") for part in CASES[case])
    assert new_text(text) == ("Hello" if left == "…" else left)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("> I feel worse\n> since Monday\n> and cannot sleep", id="only quoted"),
        pytest.param("Sent from my iPhone", id="only the phone's line"),
        pytest.param("-- \nAna Prado", id="only a signature"),
        pytest.param("Sent from my desk, which is easier than my phone.", id="not a phone's line"),
        pytest.param("My readings:\n>38.5 on Monday\n>39 on Tuesday\n>38 today", id="more than"),
        pytest.param("I took it > as you said", id="mark within a line"),
        pytest.param("Pain:\n> left knee\nsince Monday", id="one marked line, not an answer"),
        pytest.param(
            "On 3 May Dr Lee wrote:\ntake two tablets.\nI did, and feel worse.",
            id="a sentence that looks like an introduction",
        ),
        pytest.param("On Monday I ran:\n5 km, with pain", id="on ... colon"),
        pytest.param(
            "Hi,\nOn 10 Apr at 9:00 you wrote:\ncome at ten.\nI was there, and nobody came.",
            id="the same with a time",
        ),
        pytest.param("Morning 120/80\n--\nEvening 130/85", id="dashes between two things"),
        pytest.param("From: the pharmacy\nI got the wrong box.", id="one field only"),
        pytest.param(
            "---------- Forwarded message ---------\nFrom: Ben\nDate: today\nSubject: x\n\nHello",
            id="a forward alone",
        ),
        pytest.param(
            "From: Ben\nSent: Monday\nTo: Ana\nSubject: Knee\n\nIt hurts", id="a block at the top"
        ),
    ],
)
def test_what_may_be_the_senders_own_stays(text: str) -> None:
    assert new_text(text) == text


def test_one_marked_line_counts_in_a_mail_that_answers() -> None:
    assert new_text("> Any pain?\nYes", answers=True) == "Yes"


def test_long_text_after_dashes_is_no_signature() -> None:
    text = "First\n-- \n" + "\n".join(f"line {n} of a long report" for n in range(30))
    assert new_text(text) == text
