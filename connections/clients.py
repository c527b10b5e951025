"""The only place where an API key is opened: it goes from the sealed field straight into a client's headers."""

from __future__ import annotations

from dataclasses import replace

from connections.models import Connection, Installation
from openai_api.client import Client, Origin


def client_for_connection(connection: Connection) -> Client:
    """For tests of the connection itself: they find out whether one that was stopped works again."""
    return Client(
        base_url=connection.base_url.rstrip("/"),
        headers=_headers(connection),
        throttle=connection.throttle,
        origin=Origin(connection_id=connection.pk, connection_name=connection.name),
        probe=True,
    )


class NoAdminKey(Exception):
    """The operation takes an admin key and the connection has none. The message is fit to be shown."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(
            f"This operation takes an admin key, and “{connection.name}” has none. Enter one on the page of the connection."
        )


def admin_client_for_connection(connection: Connection) -> Client:
    """For the test of the admin key. Raises NoAdminKey."""
    return replace(client_for_connection(connection), headers=_admin_headers(connection))


def admin_client_for(installation: Installation) -> Client:
    """A client that sends the admin key, for operations of the organization. Raises NoAdminKey."""
    return replace(client_for(installation), headers=_admin_headers(installation.connection))


def client_for(installation: Installation) -> Client:
    connection = installation.connection
    return Client(
        base_url=connection.base_url.rstrip("/"),
        headers=_headers(connection),
        throttle=installation.throttle,
        origin=Origin(connection.pk, connection.name, installation.pk, installation.name),
        retries=installation.retry_policy,
    )


def _admin_headers(connection: Connection) -> dict[str, str]:
    """An admin key belongs to an organization and to no project."""
    if not connection.admin_key:
        raise NoAdminKey(connection)
    named = {"OpenAI-Organization": connection.organization} if connection.organization else {}
    return {"Authorization": f"Bearer {connection.admin_key.open()}", **named}


def _headers(connection: Connection) -> dict[str, str]:
    named = {"OpenAI-Organization": connection.organization, "OpenAI-Project": connection.project}
    return {
        "Authorization": f"Bearer {connection.api_key.open()}",
        **{name: value for name, value in named.items() if value},
    }
