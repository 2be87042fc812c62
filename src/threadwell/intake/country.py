"""The country of the practice: where phone numbers without a country code belong, and how days and
times are written. An import that is told one keeps it with the store.
"""

from __future__ import annotations

from threadwell.stores.contract import Store

#: Where nobody has said.
DEFAULT_COUNTRY = "US"
_KIND, _NAME = "setting", "country"
#: The private value that it is kept in: its kind and name.
COUNTRY = _KIND, (_NAME,)


async def care_country(store: Store) -> str:
    """The country, ISO 3166-1 alpha-2."""
    return await kept_country(store) or DEFAULT_COUNTRY


async def kept_country(store: Store) -> str:
    """The country that an import was told; ``""`` where none ever was."""
    kept = await store.get_private(_KIND, _NAME)
    return kept.decode() if kept else ""


async def keep_country(store: Store, country: str) -> None:
    """Remember the country for later imports, and for the pages."""
    if country != await kept_country(store):
        await store.put_private(_KIND, _NAME, country.encode())
