"""The endpoint's server certificate: what it says, where it lies, when it is renewed, who is told when it is not."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import closing
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import server_certificates, signers, tasks
from certauthority.authorities import create_next_generation
from certauthority.errors import CAError
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.models.authority import AuthorityPurpose
from certauthority.server_certificates import certify_if_due
from certauthority.x509.armor import certificate_ders
from certauthority.x509.certificates import CertificateFacts, read_certificate
from config.schedule import SCHEDULE
from tests.processes import celery_worker

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_directory(settings: Settings, tmp_path: Path, authorities: dict[str, Authority]) -> None:
    settings.GATEWAY_DIRECTORY = tmp_path / "gateway"
    settings.GATEWAY_URLS = {"sandbox": "https://localhost:8443", "production": "https://localhost:8444"}


def stored() -> tuple[CertificateFacts, CertificateFacts]:
    leaf, issuer = map(read_certificate, certificate_ders(server_certificates.chain_path().read_bytes()))
    return leaf, issuer


def test_it_names_every_address_of_this_machine_and_serves_only(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    facts = certify_if_due(now=now)
    assert facts is not None
    leaf, issuer = stored()
    assert leaf == facts
    assert issuer.der == bytes(authorities["services"].certificate.der)
    assert leaf.subject_alternative_names == ("DNS:localhost", "IP:127.0.0.1", "IP:::1")
    assert (leaf.extended_key_usage, leaf.key_usage, leaf.is_ca) == (("serverAuth",), ("digitalSignature",), False)
    assert timedelta(days=89, hours=23) < leaf.not_after - now <= 90 * DAY
    assert leaf.crl_urls[0].endswith("/ca/services.crl")
    assert leaf.ocsp_urls[0].endswith("/ocsp/services")
    assert leaf.ca_issuer_urls[0].endswith("/ca/services.crt")
    assert {finding.code for finding in lint_certificate(leaf.der)} == {"pkix.invalid_domain_name_syntax"}


@pytest.mark.usefixtures("authorities")
def test_it_is_on_record_and_its_key_is_nobody_elses() -> None:
    certify_if_due(now=timezone.now())
    leaf, _ = stored()
    row = Certificate.objects.get(fingerprint=leaf.fingerprint)
    assert (row.authority_id, row.key_description) == (Authority.objects.get(name="services").pk, "EC P-256")
    assert PublicKey.objects.get(fingerprint=leaf.public_key.fingerprint).holder == "endpoint"
    event = AuditEvent.objects.get(action="authority.endpoint-certified")
    assert event.after["serial"] == leaf.serial_hex
    assert event.after["names"] == "DNS:localhost, IP:127.0.0.1, IP:::1"


def test_its_files_are_for_their_owner_alone_and_fit_each_other() -> None:
    certify_if_due(now=timezone.now())
    assert server_certificates.chain_path().parent.stat().st_mode & 0o777 == 0o700
    for path in (server_certificates.chain_path(), server_certificates.key_path()):
        assert path.stat().st_mode & 0o777 == 0o600
    key = load_pem_private_key(server_certificates.key_path().read_bytes(), None)
    assert signers.spki(key) == stored()[0].public_key.spki  # type: ignore[arg-type]  # It is an EC key.
    assert sorted(path.name for path in server_certificates.chain_path().parent.iterdir()) == [
        "endpoint.key.pem",
        "endpoint.pem",
    ]


def test_it_is_renewed_thirty_days_before_its_end_with_the_same_key() -> None:
    first = certify_if_due(now=timezone.now())
    assert first is not None
    assert certify_if_due(now=first.not_after - 31 * DAY) is None
    second = certify_if_due(now=first.not_after - 29 * DAY)
    assert second is not None
    assert second.not_after == first.not_after - 29 * DAY + 90 * DAY
    assert second.public_key == first.public_key
    assert stored()[0] == second
    assert Certificate.objects.filter(fingerprint=first.fingerprint).exists(), "the old one stays on record"


def test_it_follows_the_names_of_the_endpoint(settings: Settings) -> None:
    certify_if_due(now=timezone.now())
    settings.GATEWAY_URLS = {"sandbox": "https://Sandbox.mtls.example", "production": "https://mtls.example:9443"}
    facts = certify_if_due(now=timezone.now())
    assert facts is not None
    assert facts.subject_alternative_names == ("DNS:sandbox.mtls.example", "DNS:mtls.example")
    assert lint_certificate(facts.der) == []
    assert certify_if_due(now=timezone.now()) is None
    settings.GATEWAY_URLS = {"sandbox": "https://192.0.2.7", "production": "https://[2001:db8::7]"}
    facts = certify_if_due(now=timezone.now())
    assert facts is not None
    assert facts.subject_alternative_names == ("IP:192.0.2.7", "IP:2001:db8::7")


@pytest.mark.parametrize("name", ["endpoint.pem", "endpoint.key.pem"])
@pytest.mark.parametrize("harm", ["lost", "spoilt", "cut", "of another pair"])
def test_a_harmed_file_is_made_good(name: str, harm: str, settings: Settings) -> None:
    certify_if_due(now=timezone.now())
    path = Path(settings.GATEWAY_DIRECTORY) / name
    whole = path.read_bytes()
    if harm == "lost":
        path.unlink()
    elif harm == "of another pair":
        server_certificates.key_path().unlink()
        certify_if_due(now=timezone.now())
        path.write_bytes(whole)
    else:
        path.write_bytes(b"rubbish" if harm == "spoilt" else whole[: len(whole) // 2])
    assert server_certificates.problem(now=timezone.now())
    assert certify_if_due(now=timezone.now()) is not None
    assert server_certificates.problem(now=timezone.now()) == ""
    key = load_pem_private_key(server_certificates.key_path().read_bytes(), None)
    assert signers.spki(key) == stored()[0].public_key.spki  # type: ignore[arg-type]  # It is an EC key.


def test_a_key_that_others_could_read_is_replaced() -> None:
    first = certify_if_due(now=timezone.now())
    assert first is not None
    server_certificates.key_path().chmod(0o644)
    second = certify_if_due(now=timezone.now())
    assert second is not None
    assert second.public_key != first.public_key
    assert server_certificates.key_path().stat().st_mode & 0o777 == 0o600


def test_a_file_that_a_killed_process_left_is_no_hindrance(settings: Settings) -> None:
    """In a container the next process has the same number."""
    for path in (server_certificates.chain_path(), server_certificates.key_path()):
        path.parent.mkdir(exist_ok=True)
        path.with_name(f".{path.name}.{os.getpid()}").write_bytes(b"half of i")
    assert certify_if_due(now=timezone.now()) is not None
    assert server_certificates.problem(now=timezone.now()) == ""
    assert {path.name for path in Path(settings.GATEWAY_DIRECTORY).iterdir()} == {"endpoint.pem", "endpoint.key.pem"}


def test_one_that_was_revoked_or_that_no_row_knows_is_replaced() -> None:
    first = certify_if_due(now=timezone.now())
    assert first is not None
    Certificate.objects.filter(fingerprint=first.fingerprint).update(
        revoked_at=timezone.now(), revocation_reason="superseded", crl_entry=b"0"
    )
    second = certify_if_due(now=timezone.now())
    assert second is not None
    Certificate.objects.filter(fingerprint=second.fingerprint).delete()
    assert certify_if_due(now=timezone.now()) is not None


def test_it_comes_from_the_newest_services_ca() -> None:
    certify_if_due(now=timezone.now())
    newest = create_next_generation(AuthorityPurpose.SERVICES, now=timezone.now())
    facts = certify_if_due(now=timezone.now())
    assert facts is not None
    assert stored()[1].der == bytes(newest.certificate.der)


def test_without_its_ca_the_old_one_stays(settings: Settings, tmp_path: Path) -> None:
    first = certify_if_due(now=timezone.now())
    assert first is not None
    settings.CA_DIRECTORY = tmp_path / "no keys"
    signers.forget_keys()
    try:
        with pytest.raises(CAError):
            certify_if_due(now=first.not_after - DAY)
        server_certificates.chain_path().unlink()
        with pytest.raises(CommandError):
            call_command("certify_endpoint")
    finally:
        signers.forget_keys()


def test_a_directory_that_cannot_be_written_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings.GATEWAY_DIRECTORY = tmp_path / "file" / "gateway"
    with pytest.raises(CAError, match="Make that directory writable"):
        certify_if_due(now=timezone.now())


@pytest.mark.parametrize(("days", "word"), [(14, "ends on"), (0, "ended on"), (-1, "ended on")])
def test_it_is_told_when_it_was_not_renewed(days: int, word: str) -> None:
    facts = certify_if_due(now=timezone.now())
    assert facts is not None
    assert server_certificates.problem(now=facts.not_after - 16 * DAY) == ""
    sentence = server_certificates.problem(now=facts.not_after - days * DAY)
    assert f"{word} {facts.not_after:%-d %B %Y} and was not renewed" in sentence


def test_the_command_says_what_it_did_and_is_safe_to_repeat() -> None:
    said = StringIO()
    call_command("certify_endpoint", stdout=said)
    assert said.getvalue().startswith("Certified the mTLS endpoint for DNS:localhost, IP:127.0.0.1, IP:::1, until ")
    said = StringIO()
    call_command("certify_endpoint", stdout=said)
    assert said.getvalue() == ""


@pytest.mark.django_db(transaction=True)
def test_the_daily_task_renews_it_in_a_worker(tmp_path: Path, settings: Settings) -> None:
    task = SCHEDULE["renew the endpoint's server certificate"]["task"]
    assert task == tasks.certify_endpoint.name
    state = tmp_path / "state"
    state.mkdir()
    (state / "ca").symlink_to(settings.CA_DIRECTORY)
    (state / "secrets").symlink_to(Path(settings.STATE_DIR) / "secrets")
    if (database := Path(settings.STATE_DIR) / "rehearsal.sqlite3").exists():
        for path in database.parent.glob("rehearsal.sqlite3*"):
            (state / path.name).symlink_to(path)
    with celery_worker(tmp_path / "worker.log", STATE_DIR=str(state)) as process:
        tasks.certify_endpoint.delay()
        _wait_for(state / "gateway" / "endpoint.pem", process)
    settings.GATEWAY_DIRECTORY = state / "gateway"
    assert certify_if_due(now=timezone.now()) is None


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    last_moment = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def test_two_that_renew_it_at_once_make_one_certificate(
    transactional_db: None, authorities: dict[str, Authority], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find none; the second waits until the first has stored its own."""
    begin, made, is_good = threading.Barrier(2), [], server_certificates._is_good

    def slowly(*, now: datetime) -> bool:
        found = is_good(now=now)
        time.sleep(0.3)
        return found

    def run() -> None:
        with closing(connection):
            begin.wait(timeout=30)
            made.append(server_certificates.certify_if_due(now=timezone.now()))

    monkeypatch.setattr(server_certificates, "_is_good", slowly)
    server_certificates.chain_path().unlink(missing_ok=True)
    before = Certificate.objects.count()
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(facts is None for facts in made) == [False, True]
    assert Certificate.objects.count() == before + 1
