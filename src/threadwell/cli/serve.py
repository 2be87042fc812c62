"""``threadwell serve``: the FHIR API and the pages over HTTP."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from threadwell.app import shown_store
from threadwell.cli.command import Command, add_store
from threadwell.cli.output import paint


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_store(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=int, default=8103, help="port to listen on; 0 takes a free one"
    )
    parser.add_argument(
        "--base-url",
        metavar="URL",
        help="where clients reach the server, if it stands behind a proxy",
    )


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C."""
    from threadwell.cli.serving import Ready, serve

    store = shown_store(arguments.store)

    def ready(it: Ready) -> None:
        print(f"Threadwell serves {store} on {paint(it.url, 'bold')}")
        print(f"  FHIR R4   {it.url}fhir/R4 (`threadwell client add NAME` makes a login)")
        print(f"  Pages     {it.sign_in_link}")
        print("            (signs one browser in, once, within 15 minutes)")
        print("Ctrl-C stops it.", flush=True)

    serve(
        arguments.store,
        host=arguments.host,
        port=arguments.port,
        base_url=arguments.base_url,
        ready=ready,
    )
    return 0


COMMAND = Command(
    name="serve",
    summary="Serve the FHIR API and the pages over HTTP",
    examples=("threadwell serve --store sqlite:///practice.db --port 8103",),
    add_arguments=add_arguments,
    run=run,
)
