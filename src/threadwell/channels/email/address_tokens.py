"""A list of addresses, cut into its items and their tokens (RFC 5322 §3.2, §3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*"', re.DOTALL)
_ANGLE = re.compile(r"<[^<>]*+>")
_WORD = re.compile(r"=\?[^?\s]++\?[bBqQ]\?[^?]*+\?=")
_PLAIN = re.compile(r'[^",;:(<=]++')
_BRACKET = re.compile(r"[()]|\\.", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def list_items(value: str) -> list[list[str]]:
    """The tokens of each item: words, ``"…"``, ``(…)``, ``<…>``; those without any are left out.

    A list is cut at commas (and semicolons, as Outlook writes) outside of brackets and quotes.
    What names a group before its colon is no token.
    """
    items: list[list[str]] = [[]]
    named = False
    for piece in _tokens(value):
        if piece in ",;":
            items.append([])
            named = False
        elif piece == ":" and not named:
            items[-1] = []
        else:
            items[-1].append(piece)
            named = named or piece.startswith("<") or "@" in piece
    return _with_cut_names([item for item in items if "".join(item).strip()])


def is_angle(token: str) -> bool:
    """Whether the token is ``<…>``."""
    return len(token) > 1 and token.startswith("<") and token.endswith(">")


def is_comment(token: str) -> bool:
    """Whether the token is ``(…)``."""
    return len(token) > 1 and token.startswith("(") and token.endswith(")")


def unquoted(word: str) -> str:
    """The text of a quoted string; any other word as it is."""
    if len(word) > 1 and word.startswith('"') and word.endswith('"'):
        return _ESCAPE.sub(r"\1", word[1:-1])
    return word


def _tokens(value: str) -> Iterator[str]:
    """Every character of the value, in tokens.

    What is opened and never closed is looked for once: a second look would find as little.
    """
    unclosed: set[str] = set()
    at = 0
    while at < len(value):
        sign = value[at]
        end = at + 1
        if sign in '"(<=' and sign not in unclosed:
            closed = _end(value, at, sign)
            if closed:
                end = closed
            elif sign in '"(':
                unclosed.add(sign)
        elif found := _PLAIN.match(value, at):
            end = found.end()
        yield value[at:end]
        at = end


def _end(value: str, at: int, sign: str) -> int:
    """Where what begins with ``sign`` ends; 0 where it does not."""
    if sign == "(":
        return _comment_end(value, at)
    pattern = {'"': _QUOTED, "<": _ANGLE, "=": _WORD}[sign]
    found = pattern.match(value, at)
    return found.end() if found else 0


def _comment_end(value: str, at: int) -> int:
    depth = 0
    for bracket in _BRACKET.finditer(value, at):
        depth += {"(": 1, ")": -1}.get(bracket[0], 0)
        if not depth:
            return bracket.end()
    return 0


def _with_cut_names(items: list[list[str]]) -> list[list[str]]:
    """The items, a name that an unquoted comma cut in two ("Prado, Ana <…>") whole again."""
    whole: list[list[str]] = []
    for item in items:
        if whole and any(map(is_angle, item)) and _is_name_only(whole[-1]):
            whole[-1] += [",", *item]
        else:
            whole.append(item)
    return whole


def _is_name_only(item: list[str]) -> bool:
    return not any("@" in token or is_angle(token) for token in item)
