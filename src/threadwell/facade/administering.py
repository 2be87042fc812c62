"""Acts that change who may come in, see and be told what: each leaves a record in the trail."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar, cast

from threadwell.audit.record import ADMINISTERED
from threadwell.facade.opened import Opened
from threadwell.shown import on_a_line

F = TypeVar("F", bound=Callable[..., Any])

#: Letters of one value that are kept: a name or a reference is shorter.
_LENGTH = 200
#: Is this within another act, whose record tells of all of it?
_WITHIN: ContextVar[bool] = ContextVar("within", default=False)


def administers(what: str, *fields: str) -> Callable[[F], F]:
    """Record each call of a method in the trail, once, when it has ended: also one that failed.

    ``what`` is the act (``policy give``). ``fields`` are all of its arguments that the record
    tells, so that no secret can be among them: those that have to be given as they are, others by
    name where they are given. ``email`` is told as ``User/…``, and whom that acts as: addresses
    stand in no record. ``.name`` is an attribute of what the method returns, or a member of it.
    """

    def decorate(method: F) -> F:
        signature = inspect.signature(method)

        @wraps(method)
        def recorded(tw: Opened, /, *args: Any, **kwargs: Any) -> Any:
            if _WITHIN.get():
                return method(tw, *args, **kwargs)
            # A call that does not fit changes nothing; Python says why.
            given = signature.bind(tw, *args, **kwargs).arguments
            token = _WITHIN.set(True)
            try:
                made = method(tw, *args, **kwargs)
            except BaseException as error:
                known = isinstance(error, (ValueError, LookupError))
                _record(tw, _asked(tw, signature, what, fields, given, None), 422 if known else 500)
                raise
            finally:
                _WITHIN.reset(token)
            _record(tw, _asked(tw, signature, what, fields, given, made), 200)
            return made

        recorded.__dict__["administers"] = what
        return cast(F, recorded)

    return decorate


def _record(tw: Opened, asked: str, status: int) -> None:
    # Of a store that is closed nothing was changed, and nothing can be recorded.
    if not tw._loop.closed:
        tw._trail.event(tw._project, ADMINISTERED, tw._trail.by, status=status, asked=asked)


def _asked(
    tw: Opened,
    signature: inspect.Signature,
    what: str,
    fields: Iterable[str],
    given: Mapping[str, Any],
    made: Any,
) -> str:
    words = [what]
    for field in fields:
        if field.startswith("."):
            words.append(_word(_of(made, field[1:])))
            continue
        value = given.get(field)
        if field == "email":
            words.append("" if tw._loop.closed else _account(tw, str(value)))
        elif signature.parameters[field].default is inspect.Parameter.empty:
            words.append(_word(value))
        elif value not in (None, "", False) and (word := _word(value)):
            words.append(f"{field}={word}")
    return " ".join(filter(None, words))


def _of(made: Any, path: str) -> Any:
    for name in path.split("."):
        made = made.get(name) if isinstance(made, Mapping) else getattr(made, name, None)
    return made


def _word(value: Any) -> str:
    """A value in one line; ``""`` for none."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = ",".join(f"{name}={one}" for name, one in value.items())
    elif not isinstance(value, str) and isinstance(value, Iterable):
        value = ",".join(map(str, value))
    return on_a_line(str(value))[:_LENGTH]


def _account(tw: Opened, email: str) -> str:
    """Whose account has the e-mail address, ``""`` where there is none."""
    from threadwell.users.keeping import user_of
    from threadwell.users.user import BadUser, parse_account_email

    try:
        user = tw._loop.call(user_of(tw._store, parse_account_email(email)))
    except BadUser:
        return ""
    member = user.member(tw._project) if user is not None else None
    if user is None or member is None:
        return ""
    return f"User/{user.id} {member.profile}".strip()
