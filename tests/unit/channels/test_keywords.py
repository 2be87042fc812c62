"""What a text of one word asks for, however it is written."""

from __future__ import annotations

from threadwell.channels.keywords import wish_of
from threadwell.channels.live import Wish
from threadwell.intake.circles.quiet import is_quiet

STOP = (
    *(
        "stop",
        "STOP.",
        "Stop!",
        "Stop\n",
        "STOP,",
        "(stop)",
        '"STOP"',
        "“STOP”",
        "'stop'",
        "«Stop»",
    ),
    *(
        "\u3000ＳＴＯＰ",
        "ｓｔｏｐ。",
        "\u200bSTOP\u200b",
        "*STOP*",
        "STOP…",
        "STOPALL",
        "stop  all",
    ),
    *("Quit", "END", "cancel", "revoke", "unsubscribe"),
    *("optout", "Opt out", "OPT-OUT.", "ARRET", "Arrêt", "arre\u0302t"),
)
START = ("start", "“START”", "Unstop.", "YES", '"Yes"')
HELP = ("help", "Help!", "'INFO'", "aide")
NOTHING = (
    *("", " ", ".", "“”", "?", "Stop?", "Cancel?", "¿stop", "yes？", "stop it", "STOP please"),
    *("stopping", "unsubscribe me", "don't stop", "s t o p", "the end", "stopp", "STOP 🙏"),
    *("stop" + "." * 40 + "go", "stop" * 9),
)


def test_what_a_word_asks_for() -> None:
    words = {Wish.STOP: STOP, Wish.START: START, Wish.HELP: HELP, None: NOTHING}
    wrong = [
        (text, wish_of(text))
        for wish, texts in words.items()
        for text in texts
        if wish_of(text) is not wish
    ]
    assert wrong == []


def test_what_the_provider_tells_counts() -> None:
    assert wish_of("halt", "STOP") is Wish.STOP
    assert wish_of("stop", " start ") is Wish.START
    assert wish_of("stop", "of another kind") is Wish.STOP


def test_yes_and_a_question_wait_for_people() -> None:
    said = (
        "Yes",
        '"Yes"',
        "yes!",
        "Cancel?",
        "help",
        "“Help”",
        "aide",
        "STOP",
        "“stop”",
        "opt out",
    )
    waiting = [text for text in said if not is_quiet(text, (), "SMSWRIT", files=False)]
    assert waiting == ["Yes", '"Yes"', "yes!", "Cancel?", "help", "“Help”", "aide"]
