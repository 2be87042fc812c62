"""Apps and coroutines run in the process of a test, at no more than they cost by themselves.

A client made for one request takes longer than many a request, and an event loop made for one
coroutine longer than many a coroutine; in a run of all tests there are tens of thousands of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

#: What httpx's own client says of itself with every request.
_USUAL = httpx.Client(transport=httpx.MockTransport(httpx.Response)).headers
_RUNNER = asyncio.Runner()


async def ask(
    app: Any,
    method: str,
    url: str,
    content: bytes | None = None,
    headers: Mapping[str, str | bytes] | None = None,
) -> httpx.Response:
    """What an ASGI app answers to one request: no cookie is kept, no redirect followed."""
    request = httpx.Request(method, url, content=content, headers={**_USUAL, **(headers or {})})
    answer = await httpx.ASGITransport(app).handle_async_request(request)
    answer.request = request
    await answer.aread()
    return answer


def run(work: Coroutine[Any, Any, T], runner: asyncio.Runner = _RUNNER) -> T:
    """What a coroutine returns, on a loop that is kept. What it has begun besides ends with it."""
    loop = runner.get_loop()
    if loop.is_running():
        # Another thread has it.
        return asyncio.run(work)
    try:
        return loop.run_until_complete(work)
    finally:
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
