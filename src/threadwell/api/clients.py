"""Client registrations, who has which policy, and signing keys, for those outside ``api``."""

from threadwell.api.oauth.clients import (
    Client,
    NewClient,
    add_client,
    find_client,
    list_clients,
    remove_client,
    rotate_client,
)
from threadwell.api.oauth.granting import choose_age, drop_policy, free, give, set_policy
from threadwell.api.oauth.keys import Former, SigningKey, former_keys, rotate_key, signing_key
from threadwell.api.oauth.registering import (
    BadRegistration,
    checked_keys,
    checked_redirects,
    checked_scopes,
)

__all__ = [
    "BadRegistration",
    "Client",
    "Former",
    "NewClient",
    "SigningKey",
    "add_client",
    "checked_keys",
    "checked_redirects",
    "checked_scopes",
    "choose_age",
    "drop_policy",
    "find_client",
    "former_keys",
    "free",
    "give",
    "list_clients",
    "remove_client",
    "rotate_client",
    "rotate_key",
    "set_policy",
    "signing_key",
]
