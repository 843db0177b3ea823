"""A private key in any box of any form: refused, named, and nowhere afterwards."""

from __future__ import annotations

import logging

import pytest
import redis
from django.urls import reverse

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from tests.hostile.forms_found import FoundForm, file_of
from tests.hostile.secrets_made import SECRETS, Secret
from tests.hostile.traces import database_dump, redis_dump
from tests.page_text import text_of
from tests.whole_site import WholeSite, routes

# What the page itself names at the field, with everything else that was typed; all else is refused with a page for it.
NAMED_IN_PLACE = {"alias", "csr", "csr_file", "certificate_file", "name", "email", "login", "note", "text", "file"}


def test_every_form_of_the_site_was_found(site: WholeSite, forms: list[FoundForm]) -> None:
    boxes = {name for form in forms for name in (*form.boxes, *form.files)}
    assert {"alias", "csr", "csr_file", "certificate_file", "name", "email", "confirmation", "note"} <= boxes
    assert {"text", "file", "login", "password", "oldpassword", "password1"} <= boxes
    actions = {form.action.partition("?")[0] for form in forms}
    values = site.parameters()
    for name in ("check_csr", "check_certificate", "team_invite", "trusted_ca_add", "trusted_ca", "clinic"):
        route = next(route for route in routes() if route.name == f"portal:{name}")
        assert reverse(route.name, kwargs={key: values[key] for key in route.parameters}) in actions


@pytest.mark.parametrize("secret", SECRETS, ids=[secret.name for secret in SECRETS])
def test_a_private_key_in_any_box_is_refused_named_and_nowhere_afterwards(
    site: WholeSite,
    forms: list[FoundForm],
    secret: Secret,
    caplog: pytest.LogCaptureFixture,
    redis_client: redis.Redis,
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong, sent = [], 0
    clients = {person: site.client(person) for person in {form.person for form in forms}}
    for form in forms:
        boxes = [*form.boxes, *form.choices] if secret.is_text else []
        for name in (*boxes, *form.files):
            content = file_of(secret.content, "request.csr") if name in form.files else secret.content.decode()
            response = clients[form.person].post(form.action, form.filled(site, **{name: content}))
            sent += 1
            where = f"{name} of {form.action} on {form.page}"
            if name in NAMED_IN_PLACE and response.status_code != 200:
                wrong.append(f"{where}: answered {response.status_code}")
            if response.status_code not in (200, 400):
                wrong.append(f"{where}: answered {response.status_code}")
            if any(trace in response.content for trace in secret.traces):
                wrong.append(f"{where}: shown again")
            is_checked = name != "alias" or "/check" not in form.action  # A check while typing judges no alias.
            if is_checked and PRIVATE_KEY_MESSAGE not in text_of(response):
                wrong.append(f"{where}: not named")
    assert not wrong, "\n".join(wrong)
    assert sent >= (25 if secret.is_text else 6)
    for trace in secret.traces:
        assert trace.decode("latin-1") not in caplog.text
        assert [table for table, rows in database_dump().items() if trace in rows] == []
        assert trace not in redis_dump(redis_client)
