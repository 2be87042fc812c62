"""What every handler needs of the server: what is stored, where it is reached, keys and limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from threadwell.access.meaning import Guarded
from threadwell.access.memberships import Policies
from threadwell.access.policy import Policy
from threadwell.access.view import View, Whole
from threadwell.access.witnessed import Witnessed
from threadwell.api.asking import Asking
from threadwell.api.exchange import Answer, Caller, Request
from threadwell.api.load.gate import Load
from threadwell.api.load.limits import MAX_PAGE
from threadwell.api.oauth.access import Access
from threadwell.api.oauth.assertions import Assertions
from threadwell.api.oauth.keys import Keyring, SigningKey, kept_secret, open_keyring
from threadwell.api.readiness import Readiness
from threadwell.api.signer import Signer
from threadwell.api.turns import Turns
from threadwell.audit.trail import Trail
from threadwell.calls.call import Caller as HttpsCaller
from threadwell.channels.channel import Channel
from threadwell.fhir.resource import Resource
from threadwell.fhir.search.catalogue import Home, catalogue_of
from threadwell.fhir.search.references import FHIR_PATH, loopback_bases
from threadwell.fhir.stamp import Clock, now_ms
from threadwell.intake.accounts import Remembered
from threadwell.logins.logins import Logins
from threadwell.logins.people import Browsers, People, Profiles
from threadwell.projects.hints import address_of
from threadwell.projects.registry import project_name
from threadwell.projects.within import within
from threadwell.stores.allowed import Allowed, allowed
from threadwell.stores.conformance import Conformance
from threadwell.stores.contract import DEFAULT_PROJECT, Store
from threadwell.stores.guides import Guides
from threadwell.subscriptions.numbers import Numbers
from threadwell.users.exchanging import Exchanging
from threadwell.users.provider_calls import ProviderCalls

#: What people call each channel, by its name; to be asked only where it is needed.
Labels: TypeAlias = Callable[[], Mapping[str, str]]

#: The channels that hear, by name; likewise.
Live: TypeAlias = Callable[[], Mapping[str, Channel]]

#: A request with a larger body is refused (413).
MAX_BODY = 32 * 1024 * 1024
#: Contexts of policies that are remembered at a time.
_MOST_LIMITED = 1_000


@dataclass(frozen=True, slots=True)
class Context:
    """``view`` is what the caller has of the store. ``whole`` is the store itself: for those ways
    in that no policy is about (registrations, deliveries, patients' apps), and for no other.
    ``trail`` is where it is recorded who saw what; what is changed in ``whole`` is by itself.

    ``base`` is the server's URL without a slash at its end, ``fhir`` that of the FHIR API.

    ``bases`` are those of the FHIR API, and of whatever else it is known under. ``labels`` are
    those of channels, ``channels`` the ones that hear, and ``accounts`` what they hear for.
    ``served`` are the URLs of the server itself, first the project's own: without a slash at the
    end. Below the first one is what is reached without a token: hooks, files, patients' apps.
    ``asking`` knows what searches ask, ``limited`` the contexts of callers with a policy, and
    of those without one who are no administrators.
    ``conformance`` has the profiles of the store's implementation guides, ``exchanging`` the way by
    what outside providers have given to apps. ``watched`` is for whom URLs of files are made, where
    what they see may end before the URL does. ``numbers`` are those of what Subscriptions tell.
    """

    view: View
    whole: Store
    trail: Trail
    project: str
    base: str
    fhir: str
    bases: frozenset[str]
    keys: Keyring
    signer: Signer
    numbers: Numbers
    access: Access
    logins: Logins
    people: People
    browsers: Browsers | None
    assertions: Assertions
    readiness: Readiness
    labels: Labels
    channels: Live
    accounts: Remembered
    served: tuple[str, ...]
    asking: Asking
    conformance: Conformance
    exchanging: Exchanging
    load: Load = field(default_factory=Load)
    turns: Turns = field(default_factory=Turns)
    clock: Clock = now_ms
    max_body: int = MAX_BODY
    max_page: int = MAX_PAGE
    limited: dict[Policy | None, Context] = field(default_factory=dict)
    watched: str = ""

    @property
    def signing(self) -> SigningKey:
        """The key that signs tokens now."""
        return self.keys.current

    async def name(self) -> str:
        """What people call the project."""
        return await project_name(self.whole, self.project)

    async def packaged(self, type_: str, canonical: str) -> Resource | None:
        """The definition of a canonical in the project's implementation guides."""
        return await self.conformance.guides.find(type_, canonical, self.clock())

    async def allows(self) -> Allowed:
        """What the practice lets clients do that R4 leaves to each server."""
        return await allowed(self.whole, self.project)

    async def current(self) -> Context:
        """This one, or the one to go on with where the search parameters have changed."""
        home = await self.whole.home(self.project)
        if home.catalogue is catalogue_of(self.bases):
            return self
        bases = Home(self.bases, home.catalogue, home.turn)
        asking = Asking(self.fhir, bases, self.clock, self.max_page)
        return replace(self, bases=bases, asking=asking, limited={})

    def seen_by(self, caller: Caller) -> Context:
        """The context of what the caller may do."""
        policy = caller.policy
        if policy is None and caller.admin:
            return self
        known = self.limited.get(policy)
        if known is None:
            if len(self.limited) >= _MOST_LIMITED:
                self.limited.clear()
            view: View = Guarded(self.whole, self.project)
            if policy is not None:
                view = Witnessed(self.whole, self.project, policy, self.bases)
            watched = policy.who if policy is not None and policy.lasts is not None else ""
            known = self.limited[policy] = replace(self, view=view, watched=watched)
        return known


def _audiences(served: Iterable[str]) -> frozenset[str]:
    """As what clients may name us in what they sign."""
    return frozenset(name for url in served for name in (f"{url}/oauth2/token", url, f"{url}/"))


#: What answers one kind of request.
Handler: TypeAlias = Callable[[Context, Request], Awaitable[Answer]]


def no_channels() -> Mapping[str, Channel]:
    """None that hears."""
    return {}


async def open_context(
    store: Store,
    *,
    base_url: str,
    labels: Labels,
    channels: Live = no_channels,
    also_at: Iterable[str] = (),
    project: str = DEFAULT_PROJECT,
    clock: Clock = now_ms,
    max_body: int = MAX_BODY,
    max_page: int = MAX_PAGE,
    load: Load | None = None,
    people: People | None = None,
    browsers: Browsers | None = None,
    trail: Trail | None = None,
    caller: HttpsCaller | None = None,
) -> Context:
    """The context of a server at ``base_url``; makes the server's keys if they are not there.

    ``also_at`` are further URLs under which clients know it: references to what is below any of
    them are to the store's own resources, from now on. ``people`` and ``browsers`` tell who has
    logins; without ``browsers`` nobody signs in by an app. ``caller`` makes the calls to providers.
    """
    base = base_url.rstrip("/")
    urls = [url.rstrip("/") for url in (base, *also_at)]
    bases = {name for url in urls for name in loopback_bases(f"{url}{FHIR_PATH}")}
    served = tuple(dict.fromkeys((*(address_of(url, project) for url in urls), *urls)))
    trail = trail or Trail(store, clock=clock)
    whole = within(trail.store, project)
    store = within(store, project)
    keys = await open_keyring(store, project)
    await store.known_as(*bases)
    own = await store.home(project, anew=True)
    policies = Policies(store, project)
    logins = Logins(store, project, await kept_secret(store, "refresh", project), clock)
    people = people or Profiles(store, project)
    return Context(
        view=Whole(whole),
        whole=whole,
        trail=trail,
        project=project,
        base=base,
        fhir=f"{base}{FHIR_PATH}",
        bases=own,
        keys=keys,
        signer=Signer(address_of(base, project), await kept_secret(store, "storage", project)),
        numbers=Numbers(await kept_secret(store, "events", project)),
        access=Access(store, project, keys, f"{base}/", clock, policies, logins, people),
        logins=logins,
        people=people,
        browsers=browsers,
        assertions=Assertions(store, project, _audiences(served), clock),
        readiness=Readiness(store, project),
        labels=labels,
        channels=channels,
        accounts=Remembered(store, project),
        served=served,
        asking=Asking(f"{base}{FHIR_PATH}", own, clock, max_page),
        conformance=Conformance(Guides(within(store, project), project)),
        exchanging=Exchanging(whole, project, ProviderCalls(clock, caller), clock),
        load=load or Load(),
        clock=clock,
        max_body=max_body,
        max_page=max_page,
    )
