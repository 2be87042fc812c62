"""The 64-bit keys of the inverted index: one for each value of each parameter, type and project.

A key is a hash that a secret of the database goes into, so nobody can choose values that collide.
Two values that collide by chance (1 in 10¹⁸ for a pair) would be found as one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from hashlib import blake2b
from struct import Struct
from typing import TypeAlias

from threadwell.fhir.search.sought import TokenMatch
from threadwell.stores.sql.bases import Bases
from threadwell.stores.sql.counting import Lengths

#: What stands before the value in the text that is hashed: project, type and parameter.
Scope: TypeAlias = str

_as_number = Struct(">q").unpack

#: Keys that are remembered at a time, of texts of no more letters than this. Most are asked for
#: once, and those that come again do so soon: more of them would cost memory, and save nothing.
_CACHED, _SHORT = 16_384, 500


class Form(Enum):
    """How many new entries are written down for a store: as ``PAGES`` of an SQLite database
    (``sql.image``), or as ``ROWS`` for PostgreSQL's ``COPY`` (``sql.packed_rows``).
    """

    PAGES = "pages"
    ROWS = "rows"


class Keys:
    """Makes keys; the same text has the same key as long as the database lives.

    ``bases`` are those that the database's resources are known under. ``sheets`` is the
    form in which its store takes what is new in the index as a sheet (``sql.sheet``), if it does.
    ``lengths`` are those of its lists, as far as somebody has counted them.
    """

    def __init__(
        self,
        secret: bytes,
        bases: Bases | None = None,
        *,
        sheets: Form | None = None,
        lengths: Lengths | None = None,
    ) -> None:
        self.secret = secret
        self.sheets = sheets
        self.lengths = lengths or Lengths()
        self.bases = bases or Bases()
        self._known = _Known(secret)
        self._others: list[Keys] = []
        #: The key of a scope with a form of a value, a signed 64-bit integer.
        self.key: Callable[[str], int] = self._known.__getitem__

    def another(self) -> Keys:
        """The same for another thread: it remembers keys of its own."""
        other = Keys(self.secret, self.bases, sheets=self.sheets, lengths=self.lengths)
        self._others.append(other)
        return other

    def forget(self) -> None:
        """Forget what is remembered, those of other threads too, as no more of it is asked for.

        What was worked out by these keys is remembered elsewhere for longer, and they with it.
        """
        for one in (self, *self._others):
            one._known.clear()


class _Known(dict[str, int]):
    """Keys by their text, made when first asked for: a known one costs one look."""

    def __init__(self, secret: bytes) -> None:
        super().__init__()
        #: Each digest goes on from a copy of it, which costs half of a new one.
        self._begun = blake2b(digest_size=8, salt=secret)

    def __missing__(self, text: str) -> int:
        digest = self._begun.copy()
        digest.update(text.encode("utf-8", "surrogatepass"))
        key: int = _as_number(digest.digest())[0]
        if len(text) <= _SHORT:
            if len(self) >= _CACHED:
                self.clear()
            self[text] = key
        return key


def scope(project: str, type_: str, param: str) -> Scope:
    """The scope of a parameter. Codes of parameters and names of types hold no ``\\0``."""
    return f"{project}\0{type_}\0{param}\0"


def every(project: str, type_: str) -> str:
    """What all resources of a type share, in natural order."""
    return scope(project, type_, "") + "natural"


def every_updated(project: str, type_: str) -> str:
    """What all resources of a type share, in the order of ``meta.lastUpdated``."""
    return scope(project, type_, "") + "updated"


def below(project: str, base: str) -> str:
    """What all resources share that refer to something below a base which is not known as ours."""
    return scope(project, "", "base") + base


def itself(project: str, type_: str, id_: str) -> str:
    """One resource alone, if it contains others."""
    return scope(project, type_, "") + f"i{id_}"


def of_code(code: str) -> str:
    """A token by its code alone."""
    return f"c{code}"


def of_token(system: str, code: str) -> str:
    """A token by system and code."""
    return f"t{len(system)}|{system}{code}"


def of_system(system: str) -> str:
    """A token by its system alone."""
    return f"s{system}"


def of_reference(type_: str, id_: str) -> str:
    """A reference to a resource of this store."""
    return f"r{type_}/{id_}"


def of_url(url: str) -> str:
    """A reference to anything else, or a uri."""
    return f"u{url}"


def of_plain(url: str) -> str:
    """A canonical that is written without a version."""
    return f"p{url}"


def of_identifier(form: str) -> str:
    """A reference by a form of its ``identifier``."""
    return f"i{form}"


def of_present() -> str:
    """Whatever has a value."""
    return "m"


def of_width(name: str) -> str:
    """Dates that are equally long, ordered by their beginning."""
    return f"d{name}"


def of_measured(kind: str, dimension: str) -> str:
    """Quantities of a dimension in what it is measured in, ordered."""
    return f"n{kind}@{dimension}"


def of_numbers(kind: str) -> str:
    """Numbers, ordered; ``kind`` ``point`` or ``range``."""
    return f"n{kind}"


def token_form(match: TokenMatch) -> tuple[str | None, bool]:
    """The form that a token is looked for under, and whether that says all that was asked."""
    if match.code is None:
        return (of_system(match.system), True) if match.system else (None, False)
    if match.system:
        return of_token(match.system, match.code), True
    return of_code(match.code), match.system is None
