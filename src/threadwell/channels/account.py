"""What a practice has at a provider: its numbers and addresses there, and the secrets it shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from threadwell.messages import Address


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that an account of a channel has (an account id, a token).

    ``about`` says in a few words where a person finds it. What is ``secret`` is never shown.
    """

    name: str
    about: str
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a provider, as the practice has set it up.

    ``name`` is part of the URL that the provider calls, ``channel`` that of the channel which
    reads what comes. ``addresses`` are the practice's own there. ``values`` are those of the
    channel's fields, by name; as some are secret, none is in its ``repr``. ``hosts`` may be called
    though they are in a private network, and may be given its credentials. ``url`` is the one that
    the provider was told, where it is not the one that follows from the server's base URL.
    """

    name: str
    channel: str
    addresses: tuple[Address, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosts: tuple[str, ...] = ()
    url: str = ""

    def value(self, name: str) -> str:
        """The value of a field, ``""`` where there is none."""
        return self.values.get(name, "")
