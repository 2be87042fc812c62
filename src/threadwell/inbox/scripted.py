"""Forms that the script of our pages sends (``static/sending.js``), and what was typed into a form
that could not be taken.

The script names who is signed in as its page knows it. It is told where to go, and stays where it
is with everything else.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from threadwell.encounters.corrected import Agent
from threadwell.inbox.posted import read_beginning

#: By it the script tells for whom its page was made; what is no script of ours does not send it.
SCRIPT = "Threadwell-Form"
#: Where the script goes on.
TO = "Threadwell-To"

#: Bytes of a form that are kept of whoever is not signed in.
_MOST = 1024 * 1024
#: The fields in which people write, and how those begin whose names have an end of their own.
_WRITTEN = frozenset(
    ("text", "why", "given", "family", "rgiven", "rfamily", "relationship", "name", "patient")
)
_BEGIN = ("reason-", "service-")


def by_script(request: Request) -> bool:
    """Whether a form was sent by the script of one of our pages, which stays there if it fails."""
    return request.headers.get(SCRIPT) is not None


def is_of_another(request: Request, by: Agent) -> bool:
    """Whether a form was written by somebody else than is signed in now.

    Somebody may have signed in in another tab meanwhile.
    """
    return request.headers.get(SCRIPT, by.reference) != by.reference


def onward(request: Request, response: Response) -> Response:
    """The answer as whoever asked takes it: a script is told where to go, and goes there itself.

    A browser would follow a redirect of its own, and show the script the page alone.
    """
    if response.status_code != 303 or not by_script(request):
        return response
    response.status_code = 204
    response.headers[TO] = response.headers["location"]
    for name in ("location", "content-length"):
        del response.headers[name]
    return response


def typed_in(request: Request) -> list[str]:
    """What somebody has written into the form that was read for a request, to be shown to them."""
    form = getattr(request.state, "form", {})
    return [
        text
        for name, values in form.items()
        if name in _WRITTEN or name.startswith(_BEGIN)
        for text in values
        if text.strip()
    ]


async def read_typed(request: Request) -> tuple[list[str], bool]:
    """The same of a form that nobody has read yet, and that nobody will take; and whether that is
    the beginning alone, as of a form with large files.

    What is written stands before the files.
    """
    if request.method != "POST":
        return [], False
    whole = await read_beginning(request, _MOST)
    return typed_in(request), not whole
