"""The endpoint as `make run` starts it: a real process, real TLS, certificates of ours, on the test's database."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db.models import Sum
from django.utils import timezone
from pytest_django import Settings

from certauthority import server_certificates
from certauthority.models import Authority, CertificateUseHour
from certauthority.x509.export import pem_bundle
from certauthority.x509.requests import new_private_key
from config.run.ready import check_endpoint
from portal.models import Credential, Project
from tests.factories import make_credential, make_csr
from tests.gateway.certificates import revoke
from tests.gateway.tls_client import connect, context, get, read_response, request
from tests.gateway_server import LiveGateway, running_gateway

Issued = tuple[Credential, Path]


@pytest.fixture
def issued(project: Project, tmp_path: Path) -> Issued:
    """A live sandbox credential, and its chain and key as one file."""
    key = new_private_key()
    credential = make_credential(project, csr=make_csr(project, key=key))
    assert credential.certificate.authority is not None
    authority = bytes(credential.certificate.authority.certificate.der)
    file = tmp_path / "client.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + pem_bundle([bytes(credential.certificate.der), authority]).encode()
    )
    return credential, file


def eventually(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment
        time.sleep(0.05)


def counted(credential: Credential) -> int:
    hours = CertificateUseHour.objects.filter(certificate=credential.certificate_id)
    return sum(hours.aggregate(a=Sum("accepted", default=0), b=Sum("refused", default=0)).values())


def test_a_certificate_of_ours_is_accepted_and_its_call_is_counted(live_gateway: LiveGateway, issued: Issued) -> None:
    credential, file = issued
    answer = get(live_gateway.ports["sandbox"], context(live_gateway.ca_file, certificate=file), "/whoami")
    assert (answer.status, answer.json["alias"]) == (200, credential.alias)
    assert answer.json["verdict"]["reasonCode"] == "CLIENT_CERT_ACCEPTED"
    assert answer.json["tls"]["version"] == "TLSv1.3"
    assert "server" not in answer.headers
    eventually(lambda: counted(credential) == 1)


def test_each_port_is_the_host_of_its_environment(live_gateway: LiveGateway, issued: Issued) -> None:
    answer = get(live_gateway.ports["production"], context(live_gateway.ca_file, certificate=issued[1]))
    assert (answer.status, answer.code) == (403, "CLIENT_CERT_WRONG_ENVIRONMENT")


def test_without_a_certificate_it_says_so(live_gateway: LiveGateway) -> None:
    answer = get(live_gateway.ports["sandbox"], context(live_gateway.ca_file))
    assert (answer.status, answer.code) == (401, "CLIENT_CERT_MISSING")
    check_endpoint("127.0.0.1", live_gateway.ports.values())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_revoked_certificate_is_refused_at_once_on_open_connections_and_on_new_ones(
    version: ssl.TLSVersion, live_gateway: LiveGateway, issued: Issued
) -> None:
    credential, file = issued
    port, tls = live_gateway.ports["sandbox"], context(live_gateway.ca_file, certificate=file, version=version)
    with connect(port, tls) as kept:
        kept.sendall(request())
        assert read_response(kept).status == 200
        revoke(credential)
        kept.sendall(request())
        assert read_response(kept).code == "CLIENT_CERT_REVOKED"
        session = kept.session
    with connect(port, tls, session) as again:
        assert not again.session_reused
        again.sendall(request())
        assert read_response(again).code == "CLIENT_CERT_REVOKED"


def test_it_starts_and_judges_without_any_key_of_a_ca(
    authorities: dict[str, Authority], transactional_db: None, issued: Issued, settings: Settings, tmp_path: Path
) -> None:
    keys = Path(settings.CA_DIRECTORY)
    nothing = {"CA_KEY_PASSPHRASE": "another passphrase altogether", "SIGNS": "false"}
    server_certificates.certify_if_due(now=timezone.now())
    hidden = keys.rename(tmp_path / "hidden keys")
    try:
        with running_gateway(settings, tmp_path, **nothing) as gateway:
            answer = get(gateway.ports["sandbox"], context(gateway.ca_file, certificate=issued[1]))
            assert answer.status == 200
            assert gateway.stop() == 0
    finally:
        hidden.rename(keys)
    assert "Traceback" not in gateway.said()
    assert "CRITICAL" not in gateway.said()


def test_with_redis_away_it_answers_all_the_same(
    authorities: dict[str, Authority], transactional_db: None, issued: Issued, settings: Settings, tmp_path: Path
) -> None:
    credential, file = issued
    with running_gateway(settings, tmp_path, REDIS_URL="redis://127.0.0.1:1/0") as gateway:
        answer = get(gateway.ports["sandbox"], context(gateway.ca_file, certificate=file))
        assert answer.status == 200
        eventually(lambda: counted(credential) == 1)


def test_a_stop_answers_what_runs_and_counts_every_call(live_gateway: LiveGateway, issued: Issued) -> None:
    credential, file = issued
    tls = context(live_gateway.ca_file, certificate=file)
    with connect(live_gateway.ports["sandbox"], tls) as connection:
        for _ in range(100):
            connection.sendall(request())
            assert read_response(connection).status == 200
        assert live_gateway.stop() == 0
    assert counted(credential) == 100
    assert "Traceback" not in live_gateway.said()


def test_without_its_certificate_it_says_what_to_do(
    authorities: dict[str, Authority],
    transactional_db: None,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_certificates, "certify_if_due", lambda *, now: None)  # The fixture would make it good.
    path = server_certificates.chain_path()
    path.unlink(missing_ok=True)
    with pytest.raises(RuntimeError, match=r"Run manage\.py certify_endpoint"), running_gateway(settings, tmp_path):
        pass
