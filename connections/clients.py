"""The only place where an API key is opened: it goes from the sealed field straight into a client's headers."""

from __future__ import annotations

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


def client_for(installation: Installation) -> Client:
    connection = installation.connection
    return Client(
        base_url=connection.base_url.rstrip("/"),
        headers=_headers(connection),
        throttle=installation.throttle,
        origin=Origin(connection.pk, connection.name, installation.pk, installation.name),
        retries=installation.retry_policy,
    )


def _headers(connection: Connection) -> dict[str, str]:
    named = {"OpenAI-Organization": connection.organization, "OpenAI-Project": connection.project}
    return {
        "Authorization": f"Bearer {connection.api_key.open()}",
        **{name: value for name, value in named.items() if value},
    }
