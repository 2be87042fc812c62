"""Client registrations, for those outside ``api``: the command line and the tests."""

from threadwell.api.oauth.clients import (
    Client,
    NewClient,
    add_client,
    find_client,
    list_clients,
    remove_client,
    rotate_client,
)

__all__ = [
    "Client",
    "NewClient",
    "add_client",
    "find_client",
    "list_clients",
    "remove_client",
    "rotate_client",
]
