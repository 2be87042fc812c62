"""``threadwell project``: several organisations in one store."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from threadwell.cli.command import Command, add_action, add_format, add_store
from threadwell.cli.errors import Mistake, Misuse
from threadwell.cli.output import print_json, table
from threadwell.shown import on_a_line

if TYPE_CHECKING:
    from threadwell.facade import Threadwell
    from threadwell.projects.registry import Project

_ACTIONS = {
    "create": "make a project called NAME",
    "list": "the projects there are",
    "rename": "give the project NAME another name, --to",
}


def add_arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    add_action(parser, _ACTIONS)
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the project, or its id")
    parser.add_argument("--to", metavar="NAME", default="", help="its new name (rename)")
    add_store(parser, whole=True)
    add_format(parser)


def run(arguments: Namespace) -> int:
    """Do what is asked, and print what came of it."""
    import threadwell
    from threadwell.projects.registry import BadProject

    action, name = arguments.action, arguments.name
    if (action == "list") is not (name is None):
        raise Misuse("project list takes no NAME; create and rename take one")
    if (action == "rename") is not bool(arguments.to):
        raise Misuse("--to goes with project rename, and rename with --to")
    with threadwell.open(arguments.store, create=action == "create") as tw:
        try:
            if action == "create":
                _told(tw.create_project(name), arguments)
            elif action == "rename":
                _told(tw.rename_project(name, arguments.to), arguments)
            else:
                _print_list(tw, as_json=arguments.format == "json")
        except BadProject as error:
            raise Mistake(str(error)) from None
        except LookupError as error:
            raise Mistake(f"{error}; see `threadwell project list`") from None
    return 0


def _told(project: Project, arguments: Namespace) -> None:
    if arguments.format == "json":
        print_json(_row(project))
        return
    print(f"{on_a_line(project.name)} is the project {project.id}.")
    if arguments.action == "create":
        print(f'Any command is about it with --project "{on_a_line(project.name)}".')


def _print_list(tw: Threadwell, *, as_json: bool) -> None:
    from threadwell.fhir.stamp import instant

    found = tw.projects()
    if as_json:
        print_json([_row(one) for one in found])
        return
    dates = tw.dates
    rows = [
        [
            on_a_line(one.name),
            one.id,
            dates.text(instant(one.created)) if one.created else "from the beginning",
        ]
        for one in found
    ]
    print(table(["Name", "ID", "Since"], rows))


def _row(project: Project) -> dict[str, Any]:
    from threadwell.fhir.stamp import instant

    since = {"created": instant(project.created)} if project.created else {}
    return {"id": project.id, "name": project.name, **since}


COMMAND = Command(
    name="project",
    summary="Have several organisations in one store, that see nothing of each other",
    about="Each has people, clients, accounts, messages, settings and keys of its own. Commands "
    "are about the first project, or about the one that --project or $THREADWELL_PROJECT names. "
    "A running server serves a new one within seconds. docs/projects.md tells the rest.",
    examples=(
        'threadwell project create "Riverside Clinic"',
        "threadwell project list",
        'threadwell user invite mo@riverside.example.org --project "Riverside Clinic"',
        'threadwell project rename Threadwell --to "Hill Street Practice"',
    ),
    add_arguments=add_arguments,
    run=run,
)
