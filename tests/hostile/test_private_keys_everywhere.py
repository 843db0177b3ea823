"""A private key in whatever is sent to whatever address: refused in words before a view sees it, and kept nowhere."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import redis
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from tests.hostile.forms_found import file_of
from tests.hostile.secrets_made import KEYSTORES, SECRETS, Secret
from tests.hostile.traces import database_dump, fingerprint_of_database, redis_dump
from tests.whole_site import Route, WholeSite, routes

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORM = "application/x-www-form-urlencoded"
# <type:name> of a path, (?P<name>…) of a regular expression
_NAMED_PART = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Carrier:
    """A way to send a secret."""

    name: str
    content_type: str
    pack: Callable[[bytes], bytes]


def _multipart(name: str, content: object) -> bytes:
    return encode_multipart(BOUNDARY, {"csrfmiddlewaretoken": "none", name: content})


def _as_text(secret: bytes) -> str:
    return secret.decode() if secret.isascii() else base64.b64encode(secret).decode()


CARRIERS = [
    Carrier("field of a form", FORM, lambda secret: urlencode({"unheard_of": secret}).encode()),
    Carrier("name of a field", FORM, lambda secret: urlencode({_as_text(secret): "on"}).encode()),
    Carrier("token of the form", FORM, lambda secret: urlencode({"csrfmiddlewaretoken": secret}).encode()),
    Carrier("file", MULTIPART_CONTENT, lambda secret: _multipart("unheard_of", file_of(secret, "harmless.txt"))),
    Carrier("text beside files", MULTIPART_CONTENT, lambda secret: _multipart("unheard_of", _as_text(secret))),
    Carrier(
        "part without a name",
        MULTIPART_CONTENT,
        lambda secret: b"--%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY.encode(), secret, BOUNDARY.encode()),
    ),
    Carrier("JSON", "application/json", lambda secret: json.dumps({"deep": [{"key": _as_text(secret)}]}).encode()),
    Carrier("octets", "application/octet-stream", lambda secret: secret),
    Carrier("no type at all", "", lambda secret: secret),
]


def addresses(site: WholeSite) -> list[str]:
    """One of every route, and two that lead nowhere."""
    values = {**site.parameters(), "object_id": site.admin.pk, "app_label": "connect"}
    return [*(_address(route, values) for route in routes()), "/nowhere", "/projects/nowhere/"]


def _address(route: Route, values: dict[str, Any]) -> str:
    """Made from the pattern: Django's admin has some without a name."""
    text = _NAMED_PART.sub(lambda found: str(values.get(found.group(1) or found.group(2), 1)), route.pattern)
    return "/" + text.replace("^", "").replace("$", "").replace("\\Z", "")


def _everything(site: WholeSite) -> Iterator[tuple[str, str, Secret, Carrier]]:
    """Every address with every method, and every secret with every carrier; each address has met each carrier."""
    pairs = itertools.cycle(itertools.product([*SECRETS, *KEYSTORES], CARRIERS))
    for address, method in itertools.product(addresses(site), METHODS):
        for secret, carrier in itertools.islice(pairs, 4):
            yield address, method, secret, carrier


def test_a_private_key_is_refused_at_every_address(
    site: WholeSite, caplog: pytest.LogCaptureFixture, redis_client: redis.Redis
) -> None:
    caplog.set_level(logging.DEBUG)
    clients = itertools.cycle([site.client("anonymous"), site.client("admin"), Client(enforce_csrf_checks=True)])
    before, wrong, sent = fingerprint_of_database(), [], set()
    for (address, method, secret, carrier), client in zip(_everything(site), clients, strict=False):
        body = carrier.pack(secret.content)
        response = client.generic(method, address, body, content_type=carrier.content_type)
        sent.add((secret.name, carrier.name))
        said = response.content.decode()
        if response.status_code != 400 or PRIVATE_KEY_MESSAGE not in said:
            wrong.append(f"{method} {address}: {secret.name} as {carrier.name}: answered {response.status_code}")
        if any(trace.decode("latin-1") in said for trace in secret.traces):
            wrong.append(f"{method} {address}: {secret.name} as {carrier.name}: shown again")
    assert not wrong, "\n".join(wrong)
    assert len(sent) == len(CARRIERS) * len([*SECRETS, *KEYSTORES])
    assert fingerprint_of_database() == before
    dump, kept = b"\n".join(database_dump().values()), redis_dump(redis_client)
    for trace in itertools.chain.from_iterable(secret.traces for secret in [*SECRETS, *KEYSTORES]):
        assert trace not in dump
        assert trace not in kept
        assert trace.decode("latin-1") not in caplog.text
        assert quote(trace) not in caplog.text
