"""The page of the Python API, out of the docstrings and signatures of ``Threadwell``."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

import threadwell
from threadwell.facade import Threadwell

_WIDTH = 90


def python_page() -> Iterator[str]:
    """The lines of ``docs/reference/python.md``, without the note that it is generated."""
    yield "# Python"
    yield "`threadwell.open` gives a `Threadwell`: FHIR's verbs, imports and reports as methods."
    yield "They may be called from any thread, from many at once, and from a notebook."
    yield from _member("threadwell.open", threadwell.open)
    for name, member in inspect.getmembers_static(Threadwell):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            assert member.fget is not None
            yield from _member(name, member.fget, attribute=True)
        elif inspect.isfunction(member):
            yield from _member(name, member)


def _member(name: str, function: object, *, attribute: bool = False) -> Iterator[str]:
    assert callable(function)
    yield from ("", f"## {name}", "", "```python")
    yield from _signature(name, inspect.signature(function), attribute)
    yield from ("```", "")
    yield from _markdown(inspect.getdoc(function) or "")


def _signature(name: str, signature: inspect.Signature, attribute: bool) -> Iterator[str]:
    """As it would be written: on a line, or a parameter a line where there are many."""
    gives = f" -> {signature.return_annotation}"
    if attribute:
        yield f"{name}{gives}"
        return
    shown: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        if parameter.name != "self":
            shown.append(_parameter(parameter))
    line = f"{name}({', '.join(shown)}){gives}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from (f"{name}(", *[f"    {one}," for one in shown], f"){gives}")


def _parameter(parameter: inspect.Parameter) -> str:
    star = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    out = f"{star}{parameter.name}: {parameter.annotation}"
    if parameter.default is inspect.Parameter.empty:
        return out
    default = parameter.default
    return f"{out} = {json.dumps(default) if isinstance(default, str) else repr(default)}"


def _markdown(docstring: str) -> Iterator[str]:
    """A docstring's paragraphs and indented examples as Markdown."""
    code = False
    lines = docstring.replace("``", "`").splitlines()
    for at, line in enumerate(lines):
        if line.startswith("    ") and not code:
            code = True
            yield "```python"
        elif code and line and not line.startswith("    "):
            code = False
            yield from ("```", "")
        if code:
            if line or any(after.startswith("    ") for after in lines[at + 1 : at + 2]):
                yield line[4:]
        else:
            yield line[:-1] if line.endswith("::") else line
    if code:
        yield "```"
