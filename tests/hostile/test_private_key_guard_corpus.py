"""No CSR, certificate, chain, PKCS #7 or CRL of the corpus is taken for a private key, however it is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from certauthority.x509.sniffing import holds_key_material
from connect.private_key_guard import PrivateKeyGuard
from tests import corpus
from tests.hostile.forms_found import file_of

PUBLIC = ("csr", "certs", "crl", "lint", "path", "pem", "ocsp")
# In these a key stands beside what is public: they are OCSP keys of a test suite, and a JSON Web Key with its secret.
KEYS = ("-key.der", "mtc-config.json")
MAX_BYTES = 250_000


def public_files() -> list[tuple[str, bytes]]:
    """Everything in the folders of what is public, but for what is larger than any request may be."""
    paths = sorted(path for folder in PUBLIC for path in (corpus.ROOT / folder).rglob("*") if path.is_file())
    fitting = [path for path in paths if not path.name.endswith(KEYS) and path.stat().st_size < MAX_BYTES]
    return [(str(path), path.read_bytes()) for path in fitting]


def _bodies(content: bytes) -> Iterator[tuple[str, bytes]]:
    text = content.decode("latin-1") if content.isascii() else base64.encodebytes(content).decode()
    yield MULTIPART_CONTENT, encode_multipart(BOUNDARY, {"unheard_of": file_of(content)})
    yield "application/x-www-form-urlencoded", urlencode({"unheard_of": text}).encode()
    yield "application/json", json.dumps({"unheard_of": text}).encode()
    yield "application/octet-stream", content


@pytest.mark.parametrize("kind", range(4), ids=["file", "form", "JSON", "octets"])
def test_nothing_public_is_refused(kind: int) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("passed")

    guard, wrong, files = PrivateKeyGuard(view), [], public_files()
    assert len(files) > 1000
    for name, content in files:
        content_type, body = list(_bodies(content))[kind]
        response = guard(RequestFactory().generic("POST", "/projects/", body, content_type=content_type))
        if response.content != b"passed":
            wrong.append(name)
    assert not wrong, "\n".join(wrong)


def test_nothing_public_written_in_decimal_numbers_is_taken_for_a_key() -> None:
    wrong = [name for name, content in public_files() if holds_key_material(json.dumps([*content]).encode())]
    assert not wrong, "\n".join(wrong)
