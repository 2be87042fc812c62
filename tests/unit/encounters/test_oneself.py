"""Whether whoever writes tells of an illness of their own, beside the names that they write."""

from __future__ import annotations

import pytest

from threadwell.encounters.mentions import Called, Names

NAMES = Names(
    {
        "Patient/nell": Called(("Nell",), ("Sorby",)),
        "Patient/rolf": Called(("Rolf",), ("Hauge",)),
    }
)


@pytest.mark.parametrize(
    "text",
    [
        "I take Rolf to you at nine. My own knee hurts as well.",
        "My throat hurts, and Rolf is coming along",
        "my left ear is swollen and Rolf coughs",
        "I have a fever, Rolf does too",
        "I'm dizzy. Rolf drives me.",
        "My rash is back",
        "me duele la cabeza, Rolf viene hoy",
        "Ich habe Fieber, Rolf kommt mit",
        "j'ai mal à la tête",
    ],
)
def test_it_is_said_of_oneself(text):
    assert NAMES.speaks_of_writer(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I drive Rolf to you today.",
        "My son has a fever",
        "my husband Rolf has a cough",
        "my daughter's knee hurts",
        "my little one has a fever",
        "Our Rolf has asthma",
        "Rolf hurt his knee",
        "I have Rolf's cough syrup",
        "I have a cold pack for Rolf",
        "I have an appointment for Rolf",
        "I have two kids with fever",
        "I had Rolf's ear checked",
        "I am worried about Rolf's fever",
        "I am home with Rolf, he has a cold",
        "I'm Rolf's wife. He has a fever.",
        "I am sick of waiting",
        "my throat lozenges are for Rolf",
        "tengo una cita para Rolf",
        "Estoy con Rolf, tiene fiebre",
    ],
)
def test_it_is_not(text):
    assert not NAMES.speaks_of_writer(text)
