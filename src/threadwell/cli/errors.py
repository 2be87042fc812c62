"""What goes wrong, said in a sentence: exit code 1, or 2 if the command was called wrongly.

A traceback is only shown with ``--debug``.
"""

from __future__ import annotations

import os
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable

from threadwell.cli.output import paint

#: How a command ends that Ctrl-C has stopped, as shells have it: 128 and the signal's number.
STOPPED = 130


class Mistake(Exception):
    """What the user asked for cannot be done; the message says what, where and what to do."""


class Misuse(Mistake):
    """The command was called wrongly: nothing has been done."""


def run_safely(run: Callable[[Namespace], int], arguments: Namespace) -> int:
    """Run a command; every error becomes a sentence on standard error, and exit code 1 or 2.

    Where Ctrl-C has stopped it, the exit code is 130.
    """
    try:
        code = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _say("stopped before it was done; what was acknowledged is kept", STOPPED)
    except BrokenPipeError:
        # The reader of a pipe has seen enough (`| head`). Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the last line: whatever it is has to be said
        if arguments.debug:
            # Python's own would be printed where nothing guards the terminal any more.
            traceback.print_exc()
            return 1
        return _say(_sentence(error), 2 if _is_misuse(error) else 1)
    return code


def _is_misuse(error: Exception) -> bool:
    """Whether the command was called wrongly: nothing has been done."""
    from threadwell.channels.channel import NeedsZone
    from threadwell.channels.reading import UnknownChannel
    from threadwell.intake import BadPeople, BadSetting

    wrong = isinstance(error, (Misuse, BadSetting, NeedsZone, UnknownChannel))
    return wrong and not isinstance(error, BadPeople)


def _sentence(error: Exception) -> str:
    from threadwell.facade.errors import OperationOutcomeError
    from threadwell.intake import (
        BadAct,
        BadAnswer,
        BadCorrection,
        BadPeople,
        BadReceipt,
        BadReply,
        BadRetraction,
        BadRules,
        BadSameness,
        BadTodo,
    )
    from threadwell.stores.contract import StoreError

    if _is_misuse(error):
        return str(error)
    match error:
        case (
            Mistake()
            | StoreError()
            | OperationOutcomeError()
            | BadPeople()
            | BadAnswer()
            | BadAct()
            | BadCorrection()
            | BadSameness()
            | BadReceipt()
            | BadReply()
            | BadRetraction()
            | BadTodo()
        ):
            return str(error)
        case BadRules():
            several = len(error.problems) > 1
            return "\n  ".join([*["the rules have mistakes:"] * several, *error.problems])
        case OSError() if error.strerror:
            return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        case OSError() if error.args:
            return str(error)
    kind = type(error).__name__
    return f"something unexpected happened ({kind}); run it again with --debug to see where"


def _say(sentence: str, code: int = 1) -> int:
    print(f"{paint('threadwell:', 'red', sys.stderr)} {sentence}", file=sys.stderr)
    return code
