"""Chats as the database has them."""

from __future__ import annotations

from threadwell.messages import Address, AddressKind

CLINIC = Address(AddressKind.PHONE, "+12075550190")


def values(addresses: tuple[Address, ...]) -> list[str]:
    return [one.value for one in addresses]
