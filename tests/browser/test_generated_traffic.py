"""Nothing of a key that the browser makes leaves it: every byte that it sends is searched, and what it keeps."""

from __future__ import annotations

import json
import logging
import re
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from playwright.sync_api import Page

from tests.browser.generating import (
    EVERYTHING_KEPT,
    KEY_TYPES,
    PASSWORD,
    Keystore,
    confirm_saved,
    create,
    download_zip,
)
from tests.browser.leaks import Needle, found_in, needles_of_key, needles_of_octets, needles_of_text
from tests.browser.recorder import Recorder
from tests.hostile.traces import database_dump, redis_dump

ALIAS = "Payouts 2027.v1"
FILE_NAME = "Payouts-2027.v1"


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_neither_the_key_nor_the_password_leaves_the_browser(
    form: Page,
    relay: Recorder,
    tmp_path: Path,
    key_type: str,
    caplog: pytest.LogCaptureFixture,
    redis_client: redis.Redis,
) -> None:
    caplog.set_level(logging.DEBUG)
    keystore = create(form, tmp_path, alias=ALIAS, key_type=key_type)
    key_file = download_zip(form, tmp_path)[f"{FILE_NAME}-private-key.key"]
    confirm_saved(form)
    needles = everything_secret(keystore, key_file)
    assert found_in(relay.octets, needles) == []
    assert found_in(caplog.text.encode(), needles) == []
    assert found_in(b"\n".join(database_dump().values()), needles) == []
    assert found_in(redis_dump(redis_client), needles) == []

    (request,) = [sent for sent in relay.requests if sent.method == "POST" and sent.path.endswith("/add/generate/")]
    fields = request.fields
    assert set(fields) == {"alias", "submission", "csr"}
    csr = x509.load_pem_x509_csr(fields["csr"])
    assert csr.public_key() == keystore.key.public_key()
    # What was recorded would have shown the key: it shows all that was sent with it.
    assert fields["csr"] in relay.octets
    assert ALIAS.encode() == fields["alias"]
    assert {sent.method for sent in relay.requests} == {"GET", "POST"}
    assert [sent.path for sent in relay.requests if sent.body] == [request.path]


def test_the_browser_keeps_the_encrypted_key_only_and_only_until_it_is_saved(form: Page, tmp_path: Path) -> None:
    keystore = create(form, tmp_path, alias=ALIAS)
    key_file = download_zip(form, tmp_path)[f"{FILE_NAME}-private-key.key"]
    encrypted = needles_of_octets("encrypted key", b64decode(b"".join(key_file.splitlines()[1:-1])))
    kept = kept_in(form)
    secrets = [*needles_of_key(keystore.key), *needles_of_text("password", PASSWORD)]
    assert found_in(kept, secrets) == []
    assert found_in(kept, encrypted)
    confirm_saved(form)
    kept = kept_in(form)
    assert found_in(kept, [*secrets, *encrypted]) == []
    assert ALIAS.encode() not in kept


def test_the_page_lists_each_request_that_it_made(form: Page, relay: Recorder, tmp_path: Path) -> None:
    create(form, tmp_path, alias=ALIAS)
    confirm_saved(form)
    listed = [
        (line.locator("> div > strong, > strong").first.inner_text(), line.locator(".mono").first.inner_text())
        for line in form.locator("#requests > li").all()
    ]
    assert sorted(listed) == sorted((sent.method, sent.target) for sent in relay.requests)
    (request,) = [sent for sent in relay.requests if sent.path.endswith("/add/generate/") and sent.body]
    shown = form.locator("#requests pre").first.inner_text()
    assert shown.rstrip() == request.body.decode().replace("\r\n", "\n").rstrip()
    size = form.locator("#requests > li").filter(has=form.locator("pre")).locator("> small").inner_text()
    assert re.sub(r"[^\d.]", "", size) in {str(len(request.body)), f"{len(request.body) / 1000:.1f}"}


def kept_in(page: Page) -> bytes:
    """All that the browser keeps for the site, as JSON."""
    return json.dumps(page.evaluate(EVERYTHING_KEPT)).encode()


def everything_secret(keystore: Keystore, key_file: bytes) -> list[Needle]:
    """The key, its encrypted forms and the password."""
    encrypted = b64decode(b"".join(key_file.splitlines()[1:-1]))
    load_der_private_key(encrypted, keystore.password.encode())
    # The keystore names its key by the digest of the public one, which the site knows, too.
    public = keystore.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return [
        *needles_of_key(keystore.key),
        *needles_of_octets("encrypted PKCS #8", encrypted),
        *needles_of_octets("PKCS #12", keystore.path.read_bytes(), public=sha256(public).digest()),
        *needles_of_text("password", keystore.password),
    ]
