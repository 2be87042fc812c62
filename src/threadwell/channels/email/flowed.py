"""``format=flowed`` (RFC 3676): paragraphs that were cut into lines for the way."""

from __future__ import annotations

import re

_QUOTE = re.compile(r">*")


def unflow(text: str, delete_space: bool) -> str:
    """The text with its paragraphs whole again, quotation by quotation.

    ``delete_space`` is the parameter ``DelSp=yes``: the space that marks a cut is not text.
    """
    out: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        depth = len(_QUOTE.match(line)[0])  # type: ignore[index]
        content = line[depth:].removeprefix(" ")
        signature = content == "-- "
        if open_depth == depth and not signature:
            out[-1].append(content)
        else:
            out.append([f"{'>' * depth} {content}" if depth else content])
        flows = content.endswith(" ") and not signature
        open_depth = depth if flows else -1
        if flows and delete_space:
            out[-1][-1] = out[-1][-1][:-1]
    return "\n".join(map("".join, out))
