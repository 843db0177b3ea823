"""Every link and form of every page leads somewhere."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from certauthority.models import Authority
from tests.whole_site import make_whole_site, routes

_NOWHERE = re.compile(r'<(?:a|form|link|script|img)\b[^>]*\s(?:href|src|action|hx-get|hx-post)=(?:""|"#")[^>]*>')


@pytest.mark.parametrize("person", ["admin", "reader", "member", "staff"])
def test_no_link_is_empty(authorities: dict[str, Authority], person: str) -> None:
    """A name that a template gives to an address ends with the block in which it is given."""
    site = make_whole_site()
    client, values, empty = site.client(person), site.parameters(), []
    for route in routes():
        if route.name.startswith("admin:"):
            continue
        address = reverse(route.name, kwargs={name: values[name] for name in route.parameters})
        response = client.get(address)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            empty += [f"{route.name}: {found}" for found in _NOWHERE.findall(response.content.decode())]
    assert empty == []
