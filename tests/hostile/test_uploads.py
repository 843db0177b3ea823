"""Files that are too large, in every box for a file: a clear sentence, and no more memory than a small one takes."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO
from unittest import mock

import pytest
from cryptography import x509
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority import trust
from certauthority.models import Certificate
from portal.models import Credential
from tests.hostile.forms_found import FoundForm, file_of
from tests.page_text import text_of
from tests.portal.foreign_ca import ForeignCa
from tests.whole_site import WholeSite

MEGABYTE = 1024 * 1024
HUGE = 50 * MEGABYTE


def pieces(form: dict[str, str], name: str, size: int) -> Iterator[bytes]:
    """The body of a form with one huge file, piece by piece."""
    for key, value in form.items():
        yield f'--B\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
    yield f'--B\r\nContent-Disposition: form-data; name="{name}"; filename="huge.csr"\r\n\r\n'.encode()
    for _ in range(size // MEGABYTE):
        yield b"A" * MEGABYTE
    yield b"\r\n--B--\r\n"


def written(directory: Path, form: dict[str, str], name: str) -> Path:
    path = directory / "body"
    with path.open("wb") as file:
        for piece in pieces(form, name, HUGE):
            file.write(piece)
    return path


def post_stream(client: Client, url: str, body: IO[bytes], length: int) -> object:
    """Send a body that is read from a file, as a server hands it over."""
    fields = {"wsgi.input": body, "CONTENT_LENGTH": str(length), "CONTENT_TYPE": "multipart/form-data; boundary=B"}
    return client.request(REQUEST_METHOD="POST", PATH_INFO=url.partition("?")[0], **fields)


def test_fifty_megabytes_in_any_box_are_refused_in_a_sentence_and_not_kept_in_memory(
    site: WholeSite, forms: list[FoundForm], tmp_path: Path
) -> None:
    sent = 0
    for form in forms:
        for name in form.files:
            filled = {key: str(value) for key, value in form.filled(site).items() if key not in ("csr", "text")}
            body = written(tmp_path, filled, name)
            client = site.client(form.person)
            client.get(form.page)  # What is loaded once is not counted.
            with body.open("rb") as stream, mock.patch.object(tempfile, "tempdir", str(tmp_path)):
                tracemalloc.start()
                response = post_stream(client, form.action, stream, body.stat().st_size)
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
            sent += 1
            assert response.status_code == 200, form.action  # type: ignore[attr-defined]  # a response
            assert "This file has 52,428,800 bytes, and at most" in text_of(response), form.action
            assert peak < 8 * MEGABYTE, (form.action, peak)
    assert sent >= 6


NAMES = [
    "../../etc/passwd",
    "a" * 300,
    "<script>alert(1)</script>.csr",
    "x\u202egnp.exe",
    "nul\x00.csr",
    "CON",
    "..",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_does_nothing(site: WholeSite, forms: list[FoundForm], name: str) -> None:
    for form in forms:
        for box in form.files:
            file = SimpleUploadedFile("placeholder", b"no certificate at all")
            vars(file)["_name"] = name  # the class itself would tidy it
            # A draft of KMP has a CSR already: where the name makes Django drop the file, it goes on with that one.
            response = site.client(form.person).post(form.action, form.filled(site, **{box: file}), follow=True)
            assert response.status_code == 200
            assert "<script>alert" not in response.content.decode()


class TestATrustedCaThatErrs:
    """Who signs certificates for others may sign nonsense."""

    def upload(self, site: WholeSite, pem: bytes, alias: str) -> str:
        url = reverse("portal:upload_certificate", args=[site.project.pk, "sandbox"])
        client = site.client("admin")
        response = client.post(url, {"alias": alias, "certificate_file": file_of(pem)})
        return "added" if response.status_code == 302 else text_of(response)

    @pytest.fixture
    def ca(self, site: WholeSite) -> ForeignCa:
        ca = ForeignCa("Careless Root")
        trust.add(ca.pem, note="", actor=Actor("staff"), now=timezone.now())
        return ca

    def test_one_serial_number_for_two_certificates(self, site: WholeSite, ca: ForeignCa) -> None:
        with mock.patch.object(x509, "random_serial_number", return_value=4711):
            first, second = ca.client_certificate("one"), ca.client_certificate("two")
        assert self.upload(site, first, "one") == "added"
        assert "another certificate of this issuer has the serial number 1267" in self.upload(site, second, "two")
        assert Credential.objects.filter(project=site.project, alias="two").count() == 0

    @pytest.mark.parametrize(
        "common_name",
        ["<script>alert(1)</script>", "a" * 64, "ｆｕｌｌ", "раураl", "=cmd|' /C calc'!A0", "{{7*7}}", "%s%n"],
    )
    def test_any_name_is_shown_harmlessly(self, site: WholeSite, ca: ForeignCa, common_name: str) -> None:
        assert self.upload(site, ca.client_certificate(common_name), "odd") == "added"
        credential = Credential.objects.get(project=site.project, alias="odd")
        place = [site.project.pk, "sandbox"]
        urls = [
            reverse("portal:credential", args=[*place, credential.pk]),
            reverse("portal:credential_revoke", args=[*place, credential.pk]),
            reverse("portal:credentials", args=place) + f"?new={credential.pk}",
            *(reverse(f"portal:{name}", args=place[:1]) for name in ("project", "activity", "project_delete")),
        ]
        for url in urls:
            response = site.client("admin").get(url)
            assert response.status_code == 200, url
            assert "<script>alert" not in response.content.decode()

    @pytest.mark.parametrize("characters", ["a\x00b", "a\u202eb", "a\x1bb", "a\nb", "a\u2028b"])
    def test_characters_that_cannot_be_seen_are_refused(self, site: WholeSite, ca: ForeignCa, characters: str) -> None:
        before = Certificate.objects.count()
        assert self.upload(site, ca.client_certificate(characters), "odd") != "added"
        assert Certificate.objects.count() == before

    def test_the_end_of_time(self, site: WholeSite, ca: ForeignCa) -> None:
        days = (timezone.now().replace(year=9999, month=12, day=30) - timezone.now()) // timedelta(days=1)
        assert self.upload(site, ca.client_certificate("late", begins_in_days=days - 400), "late") != "added"
