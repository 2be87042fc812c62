"""An expression as text again means what it meant."""

from __future__ import annotations

import pytest

from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.fhirpath.text import as_text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("Patient.name[0].family", "Patient.name[0].family"),
        ("name.where(use='old').given", "name.where((use = 'old')).given"),
        ("a | b and c.exists()", None),
        ("(value as Quantity).value > 1.50", None),
        ("value.ofType(boolean) = true", None),
        (r"extension('it\'s a \\').value", r"extension('it\'s a \\').value"),
        ("%resource.contact", "%resource.contact"),
    ],
)
def test_text_is_read_as_what_it_was_made_of(expression: str, text: str | None) -> None:
    tree = parse(expression)
    made = as_text(tree)
    assert parse(made) == tree
    assert text in (None, made)
