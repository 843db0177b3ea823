"""Delegated responders: their keys, their 30 days, their renewal, and who is told when it fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import readiness, signers
from certauthority.errors import SigningUnavailable
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, OcspResponder, PublicKey
from certauthority.ocsp import answers, responders
from certauthority.records import facts_of
from tests.certauthority.ocsp_client import issue, post, read, request_for

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def own_keys(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    """A directory of keys that a test may spoil."""
    signers.forget_keys()
    settings.CA_DIRECTORY = tmp_path / "ca"
    yield settings.CA_DIRECTORY
    signers.forget_keys()


def responder(name: str = "developers") -> OcspResponder:
    return OcspResponder.objects.select_related("certificate", "authority__certificate").get(authority__name=name)


def test_each_ca_has_one_with_a_key_of_its_own_for_30_days(authorities: dict[str, Authority]) -> None:
    now, keys = timezone.now(), set()
    for authority in authorities.values():
        facts = facts_of(responder(authority.name).certificate)
        assert facts.issuer == facts_of(authority.certificate).subject
        assert timedelta(days=29, hours=23) < facts.not_after - now <= timedelta(days=30)
        assert facts.extended_key_usage == ("OCSPSigning",)
        assert not facts.is_ca
        assert lint_certificate(facts.der) == []
        read_back = x509.load_der_x509_certificate(facts.der)
        assert read_back.extensions.get_extension_for_class(x509.OCSPNoCheck).value == x509.OCSPNoCheck()
        assert facts.key_usage == ("digitalSignature",)
        keys |= {facts.public_key.fingerprint, authority.certificate.public_key_fingerprint}
    assert len(keys) == 8
    assert PublicKey.objects.filter(fingerprint__in=keys, holder__startswith="ca:").count() == 8


def test_its_key_is_encrypted_and_private(authorities: dict[str, Authority]) -> None:
    path = signers.key_path("developers.ocsp")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


def test_it_is_renewed_ten_days_before_its_end_and_not_earlier(authorities: dict[str, Authority]) -> None:
    end = responder().certificate.not_after
    assert responders.renew_due(now=end - 11 * DAY) == []
    renewed = responders.renew_due(now=end - 9 * DAY)
    assert {one.authority.name for one in renewed} == set(authorities)
    found = responder().certificate
    assert found.not_after == end - 9 * DAY + 30 * DAY
    assert Certificate.objects.filter(authority=authorities["developers"]).count() == 2, "the old one stays on record"
    events = AuditEvent.objects.filter(action="authority.ocsp-responder-certified", object_id="developers")
    assert events.count() == 2
    assert events.order_by("-at")[0].after["serial"] == found.serial


def test_clients_see_the_new_certificate_once_it_is_read_anew(authorities: dict[str, Authority]) -> None:
    request = request_for(issue())
    before = read(post(request)).certificates[0].serial_number
    responders.renew_due(now=responder().certificate.not_after - 9 * DAY)
    answers.forget()
    after = read(post(request)).certificates[0].serial_number
    assert after == int(responder().certificate.serial, 16) != before


@pytest.mark.usefixtures("own_keys", "authorities")
def test_a_lost_key_is_replaced_with_a_new_certificate() -> None:
    before = responder().certificate
    signers.key_path("developers.ocsp").unlink()
    signers.forget_keys()
    assert [one.authority.name for one in responders.renew_due(now=timezone.now())] == ["developers"]
    after = responder().certificate
    assert after.public_key_fingerprint != before.public_key_fingerprint
    assert read(post(request_for(issue()))).certificates[0].serial_number == int(after.serial, 16)


@pytest.mark.usefixtures("own_keys", "authorities")
def test_without_its_ca_it_is_not_renewed() -> None:
    before = responder().certificate
    signers.key_path("developers").unlink()
    signers.forget_keys()
    with pytest.raises(SigningUnavailable, match=r"developers\.key\.pem"):
        responders.certify(responder().authority, now=before.not_after - DAY)
    assert responder().certificate == before


@pytest.mark.usefixtures("own_keys")
def test_a_ca_without_its_key_holds_up_no_other(authorities: dict[str, Authority]) -> None:
    now = responder().certificate.not_after - DAY
    signers.key_path("developers").unlink()
    signers.forget_keys()
    with pytest.raises(SigningUnavailable, match=r"developers\.key\.pem"):
        responders.renew_due(now=now)
    renewed = [name for name in authorities if responder(name).certificate.not_after > now + DAY]
    assert sorted(renewed) == ["kmp", "root", "services"]


def test_an_rsa_ca_has_an_rsa_responder(own_keys: Path, settings: Settings, db: None) -> None:
    settings.CA_KEY_ALGORITHM = "RSA 3072"
    call_command("create_authorities")
    assert responder().certificate.key_description == "RSA 2048"
    assert responder("root").certificate.key_description == "RSA 2048"


def test_near_the_end_of_its_ca_it_ends_with_it(authorities: dict[str, Authority]) -> None:
    end = authorities["kmp"].certificate.not_after
    now = end - 3 * DAY
    responders.renew_due(now=now)
    assert responder("kmp").certificate.not_after == end
    assert responders.certify(authorities["kmp"], now=now + DAY) is None
    assert responders.problem(authorities["kmp"], now=now + DAY) == ""
    assert "kmp" not in {one.authority.name for one in responders.renew_due(now=end)}


def test_the_command_gives_older_installations_theirs(authorities: dict[str, Authority]) -> None:
    OcspResponder.objects.all().delete()
    call_command("create_authorities")
    assert OcspResponder.objects.count() == 4


def test_readiness_tells_of_a_missing_responder(authorities: dict[str, Authority]) -> None:
    now = timezone.now()
    assert readiness.problems(now=now) == {}
    OcspResponder.objects.filter(authority=authorities["kmp"]).delete()
    assert readiness.problems(now=now) == {
        "ocsp": "KMP CA has no OCSP responder. See that worker and beat are running."
    }


@pytest.mark.parametrize(("days", "word"), [(4, "ends on"), (0, "ended on"), (-1, "ended on")])
def test_readiness_tells_of_one_that_was_not_renewed(days: int, word: str, authorities: dict[str, Authority]) -> None:
    end = responder().certificate.not_after
    assert responders.problem(authorities["developers"], now=end - 6 * DAY) == ""
    problem = responders.problem(authorities["developers"], now=end - days * DAY)
    assert f"Developers CA’s OCSP responder {word} {end:%-d %B %Y} and was not renewed" in problem


@pytest.mark.usefixtures("own_keys")
def test_readiness_tells_of_a_key_that_is_lost(authorities: dict[str, Authority]) -> None:
    signers.key_path("services.ocsp").unlink()
    signers.forget_keys()
    assert "services.ocsp.key.pem" in readiness.problems(now=timezone.now())["ocsp"]


def test_looking_every_minute_costs_one_query(authorities: dict[str, Authority]) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert responders.renew_due(now=timezone.now()) == []
    assert len(captured) == 1
