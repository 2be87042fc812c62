"""Whoever came by an outside provider may sign out there, too."""

from __future__ import annotations

from threadwell.inbox.site import Site
from threadwell.users.provider_calls import ProviderDown
from threadwell.users.providers import find_provider


async def signed_out_at(site: Site, name: str) -> tuple[str, str] | None:
    """What a link says, and where it leads, by which somebody signs out of a provider, too."""
    provider = await find_provider(site.whole, site.project, name)
    if provider is None:
        return None
    try:
        url = await site.outside.sign_out_url(provider, f"{site.origin}/sign-in")
    except ProviderDown:
        return None
    return (f"Sign out of {provider.label}, too", url) if url else None
