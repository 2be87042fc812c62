"""Client registrations, for those outside ``api``: the command line and the tests."""

from threadwell.api.oauth.clients import NewClient, add_client, remove_client

__all__ = ["NewClient", "add_client", "remove_client"]
