"""Steps of tests about passkeys, taken with a key in software."""

from __future__ import annotations

import html
import re

from django.test import Client

from tests.connect.software_key import SoftwareKey

ADD = "/accounts/security/passkey/"


def options_on(client: Client, page: str) -> str:
    """What the page would have the browser do."""
    found = re.search(r'data-options="([^"]*)"', client.get(page).content.decode())
    assert found is not None
    return html.unescape(found[1])


def add_key(client: Client, key: SoftwareKey, name: str = "Laptop") -> str:
    """Where adding it led, or "" where it was refused."""
    answer = key.create(options_on(client, ADD))
    return client.post(ADD, {"name": name, "credential": answer}).headers.get("Location", "")
