"""``secret``, ``setting`` and ``site`` of a Project, as Medplum's administrators write them.

They are kept for apps that read them, and sealed where there is a key for that. Nothing here goes
by them. Whoever is no administrator is shown none of them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from threadwell.api.context import Context
from threadwell.fhir.json import decode, encode
from threadwell.fhir.outcome import invalid
from threadwell.stores.contract import ChangeSet, Conflict, Kept
from threadwell.stores.sealing import sealed, unsealed

#: The member of a Project by the word at the end of the URL.
MEMBERS = {"secrets": "secret", "settings": "setting", "sites": "site"}

_KIND = "project-values"
_MOST, _LONGEST = 1_000, 4_000
_ATTEMPTS = 10
#: One of these is the value of a secret or a setting, and of which types it is.
_VALUES: dict[str, tuple[type, ...]] = {
    "valueString": (str,),
    "valueBoolean": (bool,),
    "valueInteger": (int,),
    "valueDecimal": (int, float, Decimal),
}
_OF_SITE = ("googleClientId", "googleClientSecret", "recaptchaSiteKey", "recaptchaSecretKey")


async def kept_values(context: Context) -> dict[str, Any]:
    """Those that were written, by the members of a Project."""
    return _read(await context.whole.get_private(_KIND, context.project))


async def keep_values(context: Context, member: str, given: Any) -> None:
    """Keep what was given in the place of all that was there; raises ``FhirError`` 400."""
    checked = _checked(member, given)
    for attempt in range(_ATTEMPTS):
        before = await context.whole.get_private(_KIND, context.project)
        values = _read(before) | {member: checked}
        there = {name: those for name, those in values.items() if those}
        value = sealed(encode(there)) if there else None
        kept = (Kept(_KIND, context.project, value, before),)
        try:
            await context.whole.commit(context.project, ChangeSet((), kept=kept))
        except Conflict:
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def _read(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return {}
    found: dict[str, Any] = decode(unsealed(value, "what a project keeps for apps"))
    return found


def _checked(member: str, given: Any) -> list[dict[str, Any]]:
    if not isinstance(given, list) or len(given) > _MOST:
        raise invalid(f"Content must be a list of at most {_MOST:,}, each with a name")
    names: set[str] = set()
    for at, one in enumerate(given):
        where = f"Project.{member}[{at}]"
        name = one.get("name") if isinstance(one, dict) else None
        if not _is_text(name) or not name:
            raise invalid("It has no name", where)
        if name in names:
            raise invalid("Two have one name", where)
        names.add(name)
        more = {key: value for key, value in one.items() if key != "name"}
        fits = _is_site(more) if member == "site" else _is_value(more)
        if not fits:
            raise invalid(
                "It takes domain, a list of texts, and ids and secrets of Google and of reCAPTCHA"
                if member == "site"
                else f"It takes one of {', '.join(_VALUES)}",
                where,
            )
    return given


def _is_value(more: dict[str, Any]) -> bool:
    if len(more) != 1:
        return False
    ((name, value),) = more.items()
    if isinstance(value, str) and not _is_text(value):
        return False
    is_number = name not in ("valueBoolean", "valueString")
    return isinstance(value, _VALUES.get(name, ())) and not (is_number and isinstance(value, bool))


def _is_site(more: dict[str, Any]) -> bool:
    domains = more.pop("domain", [])
    return (
        isinstance(domains, list)
        and all(map(_is_text, domains))
        and all(name in _OF_SITE and _is_text(value) for name, value in more.items())
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST
