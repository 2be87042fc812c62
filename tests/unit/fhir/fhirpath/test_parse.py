"""Expressions as trees."""

from decimal import Decimal

import pytest

from threadwell.fhir.fhirpath.parse import parse
from threadwell.fhir.fhirpath.tree import (
    Binary,
    Call,
    Context,
    Index,
    Literal,
    Member,
    Root,
    This,
    Typed,
    Unsupported,
)


def path(*names):
    node = This()
    for name in names:
        node = Member(node, name)
    return node


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("Patient.name.family", path("Patient", "name", "family")),
        ("Bundle.entry[0].resource", Member(Index(path("Bundle", "entry"), 0), "resource")),
        ("(A.b as Quantity)", Typed(path("A", "b"), "as", "Quantity")),
        ("A.b.as(Age)", Typed(path("A", "b"), "as", "Age")),
        ("b.ofType(Age)", Typed(path("b"), "as", "Age")),
        ("(A.b as Age).c", Member(Typed(path("A", "b"), "as", "Age"), "c")),
        ("%resource.a", Member(Root(), "a")),
        ("a.where(b='c d')", Call(path("a"), "where", (Binary(path("b"), "=", Literal("c d")),))),
        (
            "a.where(resolve() is Patient)",
            Call(path("a"), "where", (Typed(Call(This(), "resolve", ()), "is", "Patient"),)),
        ),
        (
            "a.exists() and a != false",
            Binary(
                Call(path("a"), "exists", ()), "and", Binary(path("a"), "!=", Literal(False))
            ),
        ),
        ("a | b.c", Binary(path("a"), "|", path("b", "c"))),
        (
            "a or b and c implies d",
            Binary(
                Binary(path("a"), "or", Binary(path("b"), "and", path("c"))), "implies", path("d")
            ),
        ),
        ("a + b <= 1", Binary(Binary(path("a"), "+", path("b")), "<=", Literal(1))),
        ("a&'.' != b", Binary(Binary(path("a"), "&", Literal(".")), "!=", path("b"))),
        ("%context.a contains $this", Binary(Member(Context(), "a"), "contains", This())),
        ("a.contains('.').not()", Call(Call(path("a"), "contains", (Literal("."),)), "not", ())),
        ("a is Boolean", Typed(path("a"), "is", "Boolean")),
        ("a.is(B)", Typed(path("a"), "is", "B")),
        ("a = %ucum", Binary(path("a"), "=", Literal("http://unitsofmeasure.org"))),
        ("a > 1.50", Binary(path("a"), ">", Literal(Decimal("1.50")))),
        (r"a = 'it\'s \\d'", Binary(path("a"), "=", Literal("it's \\d"))),
    ],
)  # fmt: skip
def test_trees(expression, tree):
    assert parse(expression) == tree


@pytest.mark.parametrize(
    "expression",
    ["", "a.", "a b", "(a", "a[x]", "a ~ b", "a[%x]", "%unknown", "a.where(", "a..b"],
)
def test_what_it_does_not_have_is_refused(expression):
    with pytest.raises(Unsupported):
        parse(expression)
