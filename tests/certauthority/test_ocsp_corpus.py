"""Everything of the corpus sent to a responder, by POST and GET: understood or refused in OCSP's words, never 500."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.x509 import ocsp
from django.http import HttpResponse

from certauthority.x509.errors import UnreadableInput
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES
from certauthority.x509.ocsp_request import read_ocsp_request
from certauthority.x509.ocsp_response import Failure, failure
from certauthority.x509.sniffing import holds_key_material
from tests.certauthority.ocsp_client import get, post
from tests.ocsp_corpus import fuzz_seeds, ocsp_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]


def is_request(data: bytes) -> bool:
    try:
        read_ocsp_request(data)
    except UnreadableInput:
        return False
    return True


@pytest.mark.parametrize("ask", [get, post])
def test_every_file_is_answered(ask: Callable[[bytes], HttpResponse]) -> None:
    understood = 0
    for name, data in [*ocsp_files(), *fuzz_seeds()]:
        response = ask(data)
        if is_request(data):
            found = {one.certificate_status for one in ocsp.load_der_ocsp_response(response.content).responses}
            assert (response.status_code, found) == (200, {ocsp.OCSPCertStatus.UNKNOWN}), name
            understood += 1
        elif holds_key_material(data):
            assert response.status_code == 400, name
        else:
            assert response.status_code == (413 if len(data) > MAX_OCSP_REQUEST_BYTES else 200), name
            assert response.content == failure(Failure.MALFORMED_REQUEST), name
    assert understood > 45
