"""Client registrations and who has which policy, for those outside ``api``: the command line and
the tests.
"""

from threadwell.api.oauth.clients import (
    Client,
    NewClient,
    add_client,
    find_client,
    list_clients,
    remove_client,
    rotate_client,
)
from threadwell.api.oauth.granting import drop_policy, free, give, set_policy
from threadwell.api.oauth.registering import (
    BadRegistration,
    checked_keys,
    checked_redirects,
    checked_scopes,
)

__all__ = [
    "BadRegistration",
    "Client",
    "NewClient",
    "add_client",
    "checked_keys",
    "checked_redirects",
    "checked_scopes",
    "drop_policy",
    "find_client",
    "free",
    "give",
    "list_clients",
    "remove_client",
    "rotate_client",
    "set_policy",
]
