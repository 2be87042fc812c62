"""A handler that does nothing but answer: what HTTP itself costs here.

``python -m bench.bare PORT FILE`` answers every request with the bytes of FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def serve() -> None:
    """Serve until killed."""
    body = Path(sys.argv[2]).read_bytes()

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(body, media_type="application/fhir+json")

    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST", "PATCH"])])
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        # A connection of the clients' that rests is not to be closed under the next request.
        timeout_keep_alive=600,
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    serve()
