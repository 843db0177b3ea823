"""How to call the endpoint with a certificate of the inventory."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from connect.client_commands import commands_for_key
from connect.try_it import TryIt, endpoint_of
from kmp.downloads import FileFormat
from kmp.models import Environment, InventoryEntry

# What KMP calls MTF is the Sandbox of the endpoint.
_HOSTS = {Environment.MTF: "sandbox", Environment.PRODUCTION: "production"}


def try_it(entry: InventoryEntry) -> TryIt:
    """The panel of one entry. Its key is its owner's, under a name that only they know. Raises CAError."""
    endpoint, name = endpoint_of(_HOSTS[Environment(entry.environment)]), entry.reference
    key = f"{name}.key"
    query = urlencode({"file_format": FileFormat.PEM, "include_chain": "on"})
    return TryIt(
        endpoint=endpoint,
        commands=commands_for_key(endpoint.server, name=name, alias=name, key=key),
        file_name=name,
        key_file=key,
        chain_url=f"{reverse('kmp:entry_download', args=[name])}?{query}",
    )
