"""The composition root: the one place where channels, policies and stores are listed."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from threadwell.stores.failures import StoreError
from threadwell.stores.stored import DEFAULT_PROJECT
from threadwell.stores.urls import is_postgres, is_shared, shown_store, store_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from starlette.applications import Starlette
    from starlette.types import ASGIApp

    from threadwell.api.load.gate import Load
    from threadwell.audit.record import Who
    from threadwell.audit.trail import Trail
    from threadwell.bulk.sight import Sees
    from threadwell.channels.channel import Channel
    from threadwell.duties.duty import Duty
    from threadwell.intake.chat.typing import Typing
    from threadwell.intake.replies.outgoing import Links
    from threadwell.stores.contract import Store


#: Where clients reach the server of the store; links in answers lead there. Unless it is set, that
#: is where ``threadwell serve`` listens if it is not told otherwise.
BASE_URL_VARIABLE = "THREADWELL_BASE_URL"
DEFAULT_BASE_URL = "http://127.0.0.1:8103"


#: Where what was seen waits to be recorded in the store.
SPOOL_VARIABLE = "THREADWELL_AUDIT_SPOOL"


#: The folders of all channels, in the order in which they are asked whether a file is theirs.
CHANNEL_NAMES = (
    "sms_backup",
    "twilio",
    "sms_ie",
    "ringcentral",
    "quo",
    "whatsapp",
    "google_voice",
    "imessage",
    "signal",
    "email",
    "slack",
    "telegram",
    "whatsapp_cloud",
    "telnyx",
    "chat",
    "table",
)

#: The modules of all duties.
DUTY_NAMES: tuple[str, ...] = (
    "journal",
    "files",
    "states",
    "outbox",
    "silences",
    "mailboxes",
    "noticing",
    "rules",
    "away",
    "chat",
    "subscriptions",
    "exports",
    "imports",
    "indexing",
)


@cache
def channels() -> tuple[Channel, ...]:
    """Every channel, in the order of ``CHANNEL_NAMES``."""
    folders = [import_module(f"threadwell.channels.{name}") for name in CHANNEL_NAMES]
    return tuple(folder.CHANNEL for folder in folders)


def channels_with(columns: Sequence[str], aside: Sequence[str]) -> tuple[Channel, ...]:
    """Every channel, where tables have other names of ``columns``: ``sent=created_at``.

    ``aside`` are the rows to set aside: ``type=NOTE``. Raises ``BadSetting``.
    """
    if not (columns or aside):
        return channels()
    from threadwell.channels.table import CHANNEL, BadColumn, parse_columns, with_columns
    from threadwell.intake.bad_setting import BadSetting

    try:
        table = with_columns(parse_columns(columns, aside))
    except BadColumn as error:
        raise BadSetting(str(error)) from None
    return tuple(table if channel is CHANNEL else channel for channel in channels())


def channel_labels() -> dict[str, str]:
    """What people call each channel, by its name."""
    return {channel.name: channel.label for channel in channels()}


def live_channels() -> dict[str, Channel]:
    """The channels that hear of messages as they come, by name."""
    return {channel.name: channel for channel in channels() if channel.live is not None}


def duties_of(store: Store, project: str = DEFAULT_PROJECT) -> tuple[Duty, ...]:
    """Every duty of a project, in the order of ``DUTY_NAMES``.

    ``store`` is what it has of the store (``projects.within``).
    """
    from threadwell.duties.duty import Workplace

    workplace = Workplace(
        store,
        project,
        labels=channel_labels(),
        channels=live_channels(),
        links=lambda: _links(store, project),
        barred=lambda who: barred(store, project, who),
        sees=sight_of(store, project),
    )
    modules = [import_module(f"threadwell.duties.{name}") for name in DUTY_NAMES]
    return tuple(module.duty(workplace) for module in modules)


async def barred(store: Store, project: str, who: str) -> str:
    """Why what somebody has subscribed to is not told; ``""`` where it is."""
    from threadwell.access.memberships import find_membership
    from threadwell.api.oauth.clients import find_client
    from threadwell.fhir.authors import acted_for
    from threadwell.subscriptions.served import LIMITED, REVOKED
    from threadwell.users.keeping import users_as

    if acted_for(who):
        return LIMITED
    type_, _, id_ = who.partition("/")
    if type_ == "ClientApplication":
        client = await find_client(store, id_)
        if client is None or not client.active:
            return REVOKED
        if client.scopes or client.outside:
            return LIMITED
    elif (accounts := await users_as(store, project, who)) and all(
        one.disabled for one in accounts
    ):
        return REVOKED
    return LIMITED if who and await find_membership(store, project, who) else ""


def sight_of(store: Store, project: str = DEFAULT_PROJECT) -> Sees:
    """What a client sees of a store, while it may log in."""
    from threadwell.access.limited import Limited
    from threadwell.access.meaning import Guarded
    from threadwell.access.memberships import Policies
    from threadwell.access.scopes import narrowed
    from threadwell.access.view import Whole
    from threadwell.api.claims import Claims
    from threadwell.api.oauth.clients import find_client
    from threadwell.api.oauth.limits import limits_of, marked
    from threadwell.bulk.sight import Allowed
    from threadwell.fhir.stamp import now_ms

    async def sees(who: str, scopes: tuple[str, ...], patient: str) -> Allowed | None:
        client = await find_client(store, who.partition("/")[2])
        if client is None or not client.active:
            return None
        bases = await store.home(project, anew=True)
        policies = Policies(store, project)
        policy = await policies.of(who, now_ms())
        claims = Claims(client.id, scopes=scopes, patient=patient)
        limits = limits_of(client, claims)
        mark = marked(await policies.mark(who, now_ms()), limits, claims)
        if limits is not None:
            policy = narrowed(policy, limits, who, patient)
        if policy is None:
            return Allowed(Whole(store) if client.admin else Guarded(store, project), mark)
        return Allowed(Limited(store, project, policy, bases), mark)

    return sees


async def _links(store: Store, project: str) -> Links:
    """Where providers reach a project: as the server was told, or as it notes itself."""
    import os

    from threadwell.api.oauth.keys import kept_secret
    from threadwell.api.signer import Signer
    from threadwell.inbox.whereabouts import noted_address
    from threadwell.intake.replies.outgoing import Links
    from threadwell.projects.hints import address_of

    # Either may end with a slash; what stands below begins with one.
    base = (os.environ.get(BASE_URL_VARIABLE) or await noted_address(store)).rstrip("/")
    base = base and address_of(base, project)
    return Links(base, Signer(base, await kept_secret(store, "storage", project)).url)


def checked_url(url: str, what: str) -> str:
    """A URL below which a server is reached, without a slash at its end; ``what`` it is given as.

    Raises ``BadSetting`` for what is none: links made with it would lead nowhere.
    """
    from threadwell.intake.bad_setting import BadSetting

    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or url.split() != [url] or "?" in url or "#" in url:
        raise BadSetting(f"{what} {url!r} is no URL such as https://threadwell.example.org")
    return url.rstrip("/")


def open_store(url: str | Path, *, create: bool = True, reading: bool = False) -> Store:
    """The store at ``sqlite:///PATH``, a path, or ``postgresql://…``; ``:memory:`` keeps nothing.

    ``sqlite:`` takes three slashes before a path relative to here, four before an absolute one.
    With ``create`` false a file that is not there is a ``StoreError``, as is a URL of an unknown
    kind. One that is opened for ``reading`` may be where nothing can be written.
    """
    if is_postgres(url):
        from threadwell.stores.postgres import PostgresStore

        return PostgresStore.open(str(url))
    path = store_path(url)
    if path is None:
        from threadwell.stores.memory import MemoryStore

        return MemoryStore()
    if (reading or not create) and not path.is_file():
        from threadwell.stores.sqlite.missing import no_store

        raise no_store(path)
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to keep {path.name} in")

    from threadwell.stores.sqlite import SqliteStore

    return SqliteStore.open_to_read(path) if reading else SqliteStore.open(path)


def open_trail(url: str | Path, store: Store, by: Who) -> Trail:
    """The trail of the store that is opened at ``url``, in a process that acts as ``by``."""
    from threadwell.audit.trail import Trail

    return Trail(store, trail_folder(url), by)


def trail_folder(url: str | Path) -> Path | None:
    """The folder where processes of this machine keep what was seen until it is in the store.

    It is beside a store that is a file; ``$THREADWELL_AUDIT_SPOOL`` names another. ``None`` for a
    store in memory.
    """
    import os
    from hashlib import sha256

    path = store_path(url)
    if not is_shared(url):
        return None
    if named := os.environ.get(SPOOL_VARIABLE):
        return Path(named)
    if path is not None:
        path = path.resolve()
        return path.with_name(f"{path.name}-audit")
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = sha256(shown_store(url).encode()).hexdigest()[:16]
    return Path(state) / "threadwell" / f"audit-{name}"


def back_up_file(
    source: Path, target: Path, now: datetime, progress: Callable[[int, int], None] | None = None
) -> Path:
    """Copy the SQLite store at ``source`` into a new file, as of one moment; see ``back_up``."""
    from threadwell.stores.sqlite.backup import back_up

    return back_up(source, target, now, progress)


def create_server(
    store: Store,
    *,
    base_url: str,
    also_at: Sequence[str] = (),
    load: Load | None = None,
    max_page: int | None = None,
    typing: Typing | None = None,
    trail: Trail | None = None,
) -> ASGIApp:
    """The FHIR API and the pages of ``store`` as one ASGI application, reached at ``base_url``.

    ``also_at`` are further URLs under which clients know it. ``load`` counts and limits what is
    under way. A page ends with ``max_page`` bytes. ``typing`` is shared among the workers.
    ``trail`` is that of the store; without one what is seen is recorded for as long as the
    process lives.
    """
    from threadwell.api.app import create_app
    from threadwell.api.load.gate import Load
    from threadwell.api.load.limits import MAX_PAGE
    from threadwell.audit.trail import Trail
    from threadwell.inbox.app import create_pages
    from threadwell.inbox.browsers import Accounts, PageBrowsers
    from threadwell.inbox.news import News
    from threadwell.inbox.places import Places
    from threadwell.intake.chat.typing import Typing
    from threadwell.projects.within import within

    load = load or Load()
    trail = trail or Trail(store)
    typing = typing or Typing()

    def others(project: str) -> tuple[Accounts, PageBrowsers]:
        own = within(store, project)
        return Accounts(own, project), PageBrowsers(own, project, base_url)

    def pages_of(project: str, places: Places) -> Starlette:
        news = News(within(store, project), project)
        load.at_end.append(news.close)
        return create_pages(
            store,
            base_url=base_url,
            channels=channels(),
            project=project,
            news=news,
            typing=typing,
            trail=trail,
            doors=places,
        )

    return create_app(
        store,
        base_url=base_url,
        labels=channel_labels,
        channels=live_channels,
        also_at=also_at,
        pages=Places(store, base_url, pages_of),
        load=load,
        max_page=max_page or MAX_PAGE,
        typing=typing,
        people=Accounts(store, DEFAULT_PROJECT),
        browsers=PageBrowsers(store, DEFAULT_PROJECT, base_url),
        others=others,
        trail=trail,
    )
