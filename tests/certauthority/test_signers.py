"""CA keys: encrypted, private, opened once, and every way in which they can be unusable has its sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from certauthority import readiness, signers
from certauthority.authorities import create_hierarchy
from certauthority.errors import SigningUnavailable
from certauthority.models import Authority, Certificate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_keys(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.CA_DIRECTORY = tmp_path / "ca"
    now = timezone.now()
    create_hierarchy(begin=now, now=now)
    signers.forget_keys()
    yield
    signers.forget_keys()


def developers() -> Authority:
    return Authority.objects.select_related("certificate").get(name="developers")


def refused() -> str:
    with pytest.raises(SigningUnavailable) as error:
        signers.signer_of(developers())
    return str(error.value)


def test_a_process_opens_a_key_once() -> None:
    first = signers.signer_of(developers())
    signers.key_path("developers").unlink()
    assert signers.signer_of(developers()) is first


def test_a_missing_file_is_named() -> None:
    signers.key_path("developers").unlink()
    assert refused() == (
        "The key file developers.key.pem of the CA cannot be read (No such file or directory). Restore it from the "
        "backup; if the key is in a token, set SIGNER=pkcs11."
    )


def test_a_file_that_others_can_read_is_refused() -> None:
    signers.key_path("developers").chmod(0o640)
    assert "can be read by others" in refused()


def test_a_wrong_passphrase_is_told_without_quoting_anything(settings: Settings) -> None:
    settings.CA_KEY_PASSPHRASE = "another-passphrase"
    message = refused()
    assert "does not open with CA_KEY_PASSPHRASE" in message
    assert "another-passphrase" not in message


def test_a_missing_passphrase_is_told(settings: Settings) -> None:
    settings.CA_KEY_PASSPHRASE = ""
    assert "CA_KEY_PASSPHRASE is not set" in refused()


def test_a_key_of_another_ca_is_refused() -> None:
    signers.key_path("developers").write_bytes(signers.key_path("kmp").read_bytes())
    assert "belongs to another certificate" in refused()


def test_a_file_without_a_key_is_refused() -> None:
    signers.key_path("developers").write_text("nothing of the kind")
    assert "does not open" in refused()


def test_a_directory_that_cannot_be_written_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.CA_DIRECTORY = tmp_path / "file" / "ca"
    with pytest.raises(SigningUnavailable, match="Make that directory writable"):
        signers.create_key("another")


def test_a_key_left_by_an_interrupted_start_is_taken() -> None:
    key = signers.create_key("another")
    assert signers.spki(signers.create_key("another")) == signers.spki(key)


def test_readiness_names_an_unusable_key_and_missing_crls() -> None:
    now = timezone.now()
    assert "no valid CRL" in readiness.problems(now=now)["crl"]
    signers.key_path("root").unlink()
    signers.forget_keys()
    assert "root.key.pem" in readiness.problems(now=now)["ca_key"]


def test_a_process_says_at_its_start_that_it_cannot_sign(caplog: pytest.LogCaptureFixture) -> None:
    assert readiness.prove_keys_at_start()
    signers.key_path("services").unlink()
    signers.forget_keys()
    assert not readiness.prove_keys_at_start()
    assert "This process cannot sign certificates: The key file services.key.pem" in caplog.text


def test_readiness_alarms_at_a_lint_finding(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    assert readiness.problems(now=now) == {}
    Certificate.objects.filter(ca__name="kmp").update(lint_findings="ERROR pkix.something")
    assert "does not pass the lint: ERROR pkix.something" in readiness.problems(now=now)["lint"]
