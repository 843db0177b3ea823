"""CAs whose keys never leave a token (SoftHSM 2): they issue, sign CRLs and certify responders, and openssl agrees."""

from __future__ import annotations

import copy
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command
from django.utils import timezone
from pkcs11 import Attribute, ObjectClass
from pytest_django import Settings

from certauthority import revocation_lists, signers
from certauthority.authorities import chain_of, create_next_generation
from certauthority.lint import lint_certificate
from certauthority.models import Authority, OcspResponder
from certauthority.models.authority import AuthorityPurpose
from certauthority.ocsp import responders
from certauthority.records import facts_of
from certauthority.x509.export import pem_bundle
from tests.certauthority.ocsp_client import get, issue, post, request_for, revoke
from tests.processes import celery_worker
from tests.softhsm import SoftToken, make_hierarchy

pytestmark = pytest.mark.usefixtures("soft_token")

NAMES = {"root", "developers", "kmp", "services"}
DAY = timedelta(days=1)
GUARD_SECONDS = 60


def openssl(directory: Path, *arguments: str) -> str:
    """What openssl says, good or bad."""
    command = ["openssl", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def write_trust(directory: Path, authority: Authority) -> None:
    """The chain of a CA with the CRLs of each, and its own certificate alone."""
    (directory / "issuer.pem").write_text(pem_bundle(chain_of(authority)[:1]))
    (directory / "chain.pem").write_text(pem_bundle(chain_of(authority)))
    pem = pem_bundle(chain_of(authority))
    for each in (authority, authority.parent):
        assert each is not None
        crl = revocation_lists.current(each)
        assert crl is not None
        (directory / "list.der").write_bytes(bytes(crl.der))
        pem += openssl(directory, "crl", "-inform", "DER", "-in", "list.der")
    (directory / "trusted.pem").write_text(pem)


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["EC P-256", "EC P-384", "RSA 2048"])
def test_openssl_takes_what_a_token_signed(algorithm: str, settings: Settings, tmp_path: Path) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    now = timezone.now()
    developers = make_hierarchy(now)["developers"]
    assert developers.certificate.key_description == algorithm
    good, revoked = issue("1"), issue("2")
    for certificate in (good, revoked):
        assert lint_certificate(facts_of(certificate).der) == []
    revoke(revoked)
    revocation_lists.publish(developers, now=now)
    write_trust(tmp_path, developers)
    (tmp_path / "list.der").write_bytes(bytes(revocation_lists.publish(developers, now=now).der))  # type: ignore[union-attr]  # it is published
    said = openssl(tmp_path, "crl", "-inform", "DER", "-in", "list.der", "-noout", "-CAfile", "chain.pem")
    assert "verify OK" in said
    for certificate, verified, status in ((good, "leaf.pem: OK", "good"), (revoked, "certificate revoked", "revoked")):
        (tmp_path / "leaf.pem").write_text(facts_of(certificate).pem)
        assert verified in openssl(tmp_path, "verify", "-crl_check_all", "-CAfile", "trusted.pem", "leaf.pem")
        (tmp_path / "answer.der").write_bytes(get(request_for(certificate)).content)
        asked = ("-issuer", "issuer.pem", "-cert", "leaf.pem", "-no_nonce", "-CAfile", "chain.pem")
        said = openssl(tmp_path, "ocsp", "-respin", "answer.der", *asked)
        assert "Response verify OK" in said
        assert f"leaf.pem: {status}" in said


@pytest.mark.django_db
def test_a_responder_is_renewed_under_a_ca_in_a_token(hierarchy: dict[str, Authority], tmp_path: Path) -> None:
    before = OcspResponder.objects.get(authority__name="developers").certificate
    renewed = responders.renew_due(now=timezone.now() + 25 * DAY)
    assert {responder.authority.name for responder in renewed} == NAMES
    after = OcspResponder.objects.get(authority__name="developers").certificate
    assert after.serial != before.serial
    write_trust(tmp_path, hierarchy["developers"])
    (tmp_path / "responder.pem").write_text(facts_of(after).pem)
    assert "responder.pem: OK" in openssl(tmp_path, "verify", "-no_check_time", "-CAfile", "chain.pem", "responder.pem")


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["EC P-256", "RSA 2048"])
def test_keys_can_neither_be_read_nor_copied_out(algorithm: str, settings: Settings, soft_token: SoftToken) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    make_hierarchy(timezone.now())
    private = soft_token.objects(ObjectClass.PRIVATE_KEY)
    assert set(private) == set(soft_token.objects(ObjectClass.PUBLIC_KEY)) == NAMES
    for attributes in private.values():
        assert attributes == {
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.SIGN: True,
            Attribute.DECRYPT: False,
            Attribute.TOKEN: True,
        }


@pytest.mark.django_db
def test_the_only_key_files_are_those_of_responders(hierarchy: dict[str, Authority], settings: Settings) -> None:
    files = {path.name for path in Path(settings.CA_DIRECTORY).iterdir()}
    assert files == {f"{name}.ocsp.key.pem" for name in NAMES}


@pytest.mark.django_db
def test_a_next_generation_has_its_key_in_the_token(hierarchy: dict[str, Authority], soft_token: SoftToken) -> None:
    create_next_generation(AuthorityPurpose.DEVELOPERS, now=timezone.now())
    certificate = issue("next")
    assert certificate.authority is not None
    assert certificate.authority.name == "developers-g2"
    assert set(soft_token.objects(ObjectClass.PRIVATE_KEY)) == NAMES | {"developers-g2"}
    assert post(request_for(certificate), "developers-g2").status_code == 200


@pytest.mark.django_db
def test_the_command_creates_them_once(soft_token: SoftToken) -> None:
    call_command("create_authorities")
    call_command("create_authorities")
    assert set(soft_token.objects(ObjectClass.PRIVATE_KEY)) == NAMES


@pytest.mark.django_db
def test_two_sites_with_one_token_have_keys_of_their_own(hierarchy: dict[str, Authority]) -> None:
    """A second site finds keys with the names of its own, and must not take them."""
    other = signers.create_key("developers")
    assert signers.spki(other) != facts_of(hierarchy["developers"].certificate).public_key.spki
    signers.forget_keys()
    assert signers.spki(signers.signer_of(hierarchy["developers"]).key) != signers.spki(other)
    issue("still")


@pytest.mark.parametrize("algorithm", ["EC P-256", "RSA 2048"])
def test_a_key_in_a_token_does_nothing_but_sign(algorithm: str, settings: Settings) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    key = signers.create_key("only-signs")
    secret = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for forbidden in (key.private_numbers, lambda: key.private_bytes(*secret)):
        with pytest.raises(UnsupportedAlgorithm, match="never leaves the token"):
            forbidden()
    if isinstance(key, rsa.RSAPrivateKey):
        with pytest.raises(UnsupportedAlgorithm):
            key.decrypt(b"\0" * 256, padding.PKCS1v15())
        for scheme, algorithm_of in (
            (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
            (padding.PKCS1v15(), hashes.SHA1()),
        ):
            with pytest.raises(UnsupportedAlgorithm):
                key.sign(b"message", scheme, algorithm_of)
    else:
        with pytest.raises(UnsupportedAlgorithm):
            key.exchange(ec.ECDH(), ec.generate_private_key(ec.SECP256R1()).public_key())
        for wrong in (hashes.SHA1(), Prehashed(hashes.SHA256())):
            with pytest.raises(UnsupportedAlgorithm):
                key.sign(b"message", ec.ECDSA(wrong))
    assert key.key_size == key.public_key().key_size
    assert copy.copy(key) is copy.deepcopy(key) is key


@pytest.mark.parametrize("algorithm", ["EC P-384", "RSA 2048"])
def test_the_librarys_own_builder_signs_with_it_too(algorithm: str, settings: Settings) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    key = signers.create_key("builder")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Builder")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    assert request.is_signature_valid


@pytest.fixture
def _no_key_files_yet(settings: Settings) -> Iterator[None]:
    """A worker finds the CAs’ keys in its STATE_DIR: those that other tests have made there stand aside meanwhile."""
    directory = Path(settings.STATE_DIR) / "ca"
    aside = directory.with_name("ca-of-others")
    if directory.exists():
        directory.rename(aside)
    settings.CA_DIRECTORY = directory
    yield
    shutil.rmtree(directory, ignore_errors=True)
    if aside.exists():
        aside.rename(directory)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_key_files_yet")
def test_a_worker_signs_with_the_token(soft_token: SoftToken, tmp_path: Path) -> None:
    hierarchy = make_hierarchy(timezone.now())
    certificate = issue("worker")
    log = tmp_path / "worker.log"
    with celery_worker(log, **soft_token.environment):
        revoke(certificate)
        last_moment = time.monotonic() + GUARD_SECONDS
        while _listed(hierarchy["developers"]) != 1:
            assert time.monotonic() < last_moment, log.read_text()
            time.sleep(0.1)
    assert soft_token.pin not in log.read_text()


def _listed(authority: Authority) -> int:
    crl = revocation_lists.current(authority)
    return crl.entries if crl is not None else -1


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["EC P-384", "RSA 2048"])
def test_keys_of_files_can_be_moved_into_a_token(
    algorithm: str, settings: Settings, soft_token: SoftToken, tmp_path: Path
) -> None:
    """As docs/signer.md has it."""
    settings.SIGNER, settings.CA_KEY_ALGORITHM = "file", algorithm
    hierarchy = make_hierarchy(timezone.now())
    settings.SIGNER = "pkcs11"
    signers.forget_keys()
    for number, name in enumerate(sorted(NAMES), 1):
        path = signers.key_path(name)
        secret = f"pass:{settings.CA_KEY_PASSPHRASE}"
        openssl(tmp_path, "pkcs8", "-in", str(path), "-passin", secret, "-out", "plain.pem")
        soft_token.run("--import", "plain.pem", "--label", name, "--id", f"{number:02x}", directory=tmp_path)
        path.unlink()
    private = soft_token.objects(ObjectClass.PRIVATE_KEY)
    assert all(attributes[Attribute.EXTRACTABLE] is False for attributes in private.values())
    issue("moved")
    assert revocation_lists.publish(hierarchy["root"], now=timezone.now()) is not None
