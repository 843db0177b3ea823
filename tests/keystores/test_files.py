"""PEM and ZIP files that the browser hands out."""

from __future__ import annotations

import io
import os
import ssl
import stat
import zipfile

import pytest

from tests.keystores.browser_code import BrowserCode, as_text, running_browser_code

FILES = {"my-cert-signing.crt": b"-----BEGIN\n" * 300, "my-cert-private-key.key": os.urandom(2000), "empty": b""}


def test_python_unpacks_the_zip(browser_code: BrowserCode) -> None:
    with zipfile.ZipFile(io.BytesIO(browser_code.zip(FILES))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
        assert archive.namelist() == list(FILES)


def test_only_the_owner_may_read_what_is_unpacked(browser_code: BrowserCode) -> None:
    with zipfile.ZipFile(io.BytesIO(browser_code.zip(FILES))) as archive:
        modes = {stat.filemode(entry.external_attr >> 16) for entry in archive.infolist()}
    assert modes == {"-rw-------"}


def test_the_same_files_give_the_same_zip_in_every_time_zone(
    browser_code: BrowserCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = browser_code.zip(FILES)
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", zone)
        with running_browser_code() as elsewhere:
            assert elsewhere.zip(FILES) == first


@pytest.mark.parametrize("length", [0, 1, 47, 48, 49, 1000, 300_000])
def test_pem_is_that_of_python(browser_code: BrowserCode, length: int) -> None:
    der = os.urandom(length)
    pem = browser_code.ask("pem", label="CERTIFICATE", der=as_text(der))
    expected = ssl.DER_cert_to_PEM_cert(der)
    assert pem == expected if length else pem == "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"
