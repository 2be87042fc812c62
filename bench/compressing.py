"""What compressed answers cost: pages of messages as they are, and by each coding, in turns.

In process, in microseconds of CPU a request, with the bytes that are sent.

python -m bench compressing
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import tempfile
import time
from typing import Any

from bench.audit import URL, _fill
from threadwell.api.app import create_app
from threadwell.api.clients import add_client
from threadwell.app import channel_labels, open_store

TURNS, EACH = 12, 60
CODINGS = ("identity", "gzip", "zstd")


def main(arguments: list[str]) -> None:
    """Print a line for each page."""
    argparse.ArgumentParser(prog="bench compressing").parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(f"sqlite:///{folder}/x.db"))


async def _measure(url: str) -> None:
    store = open_store(url)
    client = await add_client(store, "bench")
    secret = f"{client.client_id}:{client.client_secret}".encode()
    basic = f"Basic {base64.b64encode(secret).decode()}"
    app = create_app(store, base_url=URL, labels=channel_labels)
    await _fill(app, {"authorization": basic})
    print(f"{'':22}" + "".join(f"{coding:>11}{'bytes':>9}{'ratio':>7}" for coding in CODINGS))
    for count in (1, 20, 100):
        took = dict.fromkeys(CODINGS, 1e9)
        sizes = dict.fromkeys(CODINGS, 0)
        for _ in range(TURNS):
            for coding in CODINGS:
                spent, sizes[coding] = await _spent(app, basic, coding, f"_count={count}")
                took[coding] = min(took[coding], spent)
        cells = [
            f"{took[coding]:11.0f}{sizes[coding]:9,}{took[coding] / took['identity']:7.2f}"
            for coding in CODINGS
        ]
        print(f"{f'search, {count} matches':22}" + "".join(cells))
    await store.close()


async def _spent(app: Any, basic: str, coding: str, query: str) -> tuple[float, int]:
    """Microseconds of CPU, and bytes of the body."""
    sent: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(len(message.get("body", b"")))

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/fhir/R4/Communication",
        "query_string": query.encode(),
        "headers": [
            (b"authorization", basic.encode()),
            (b"accept-encoding", coding.encode()),
        ],
    }
    started = time.process_time()
    for _ in range(EACH):
        await app(scope, receive, send)
    return (time.process_time() - started) / EACH * 1e6, sum(sent) // EACH
