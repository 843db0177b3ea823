"""The server certificate of the live mTLS endpoint: from our Services CA, for 90 days, renewed 30 days before its end.

It lies in ``GATEWAY_DIRECTORY`` as two PEM files with mode 0600, so that whoever serves it (our own server, or nginx in
front) needs neither database nor passphrase: ``endpoint.key.pem``, and ``endpoint.pem`` with the certificate and the
Services CA that signed it. The key stays the same from one certificate to the next, so that a renewal replaces one
file, at once.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from django.conf import settings
from django.db import transaction

from audit.events import SYSTEM, AuditedObject, record
from certauthority import profiles, signers
from certauthority.authorities import newest_authority
from certauthority.errors import CAError
from certauthority.lint import lint_certificate
from certauthority.models import Authority, Certificate, PublicKey
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import certificate_fields
from certauthority.signers import algorithms, key_files
from certauthority.x509.armor import certificate_ders
from certauthority.x509.building import build_verified_certificate
from certauthority.x509.certificates import CertificateFacts, read_certificate
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.export import pem_bundle
from certauthority.x509.names import encode_subject
from certauthority.x509.profile import new_serial

RENEW_BEFORE = timedelta(days=30)
# With less than this left the daily renewal has failed for half a month, and somebody should know.
ALARM_BEFORE = timedelta(days=15)
# Clients' clocks may be behind, as with the certificates that are issued.
BACKDATE = timedelta(hours=1)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
HOLDER = "endpoint"
KEY_ALGORITHM = "EC P-256"
# pkilint knows no name without a dot; localhost is one by RFC 6761, 6.3, and every TLS client takes it.
LOCALHOST_FINDING = 'ERROR pkix.invalid_domain_name_syntax: Invalid domain name syntax: "localhost"'


@dataclass(frozen=True, slots=True)
class Names:
    """What clients may call the endpoint: host names in lower case, and IP addresses."""

    dns: tuple[str, ...]
    addresses: tuple[IPv4Address | IPv6Address, ...]

    def as_facts(self) -> set[str]:
        """As ``CertificateFacts`` has them."""
        return {f"DNS:{name}" for name in self.dns} | {f"IP:{address}" for address in self.addresses}


def chain_path() -> Path:
    """The certificate, and after it the CA that signed it."""
    return Path(settings.GATEWAY_DIRECTORY) / "endpoint.pem"


def key_path() -> Path:
    """The certificate's key, not encrypted: whoever serves has no passphrase."""
    return Path(settings.GATEWAY_DIRECTORY) / "endpoint.key.pem"


def names() -> Names:
    """The hosts of ``GATEWAY_URLS``, and ``CERTIFIED_HOSTS``. A name of this machine stands for all of them."""
    called = [urlsplit(url).hostname or "" for url in settings.GATEWAY_URLS.values()]
    hosts = [host.lower() for host in (*called, *settings.CERTIFIED_HOSTS)]
    wanted = [name for host in hosts for name in (LOOPBACK if host in LOOPBACK else (host,))]
    dns: dict[str, None] = {}
    addresses: dict[IPv4Address | IPv6Address, None] = {}
    for name in wanted:
        try:
            addresses[ip_address(name)] = None
        except ValueError:
            dns[name] = None
    return Names(tuple(dns), tuple(addresses))


def certify_if_due(*, now: datetime) -> CertificateFacts | None:
    """Give the endpoint a new certificate where it has none, where it ends soon, or where it no longer fits.

    Returns None where it has a good one. Safe to repeat, and to interrupt: a row without its file is made good by the
    next run.

    Raises:
        SigningUnavailable: the Services CA's key cannot be used.
        CAError: there is no Services CA, the certificate would not pass the lint, or the files cannot be written.
    """
    with _alone():
        if _is_good(now=now):
            return None
        key = _key()
        facts, issuer = _certify(signers.spki(key), now=now)
        with _told_where():
            key_files.write_whole(chain_path(), pem_bundle([facts.der, issuer]).encode())
        return facts


def problem(*, now: datetime) -> str:
    """What is wrong with the endpoint's certificate, as a sentence; empty when nothing is."""
    found, key = _stored(), _stored_key()
    if found is None or key is None or signers.spki(key) != found[0].public_key.spki:
        return (
            f"The mTLS endpoint has no server certificate in {settings.GATEWAY_DIRECTORY}. "
            "Run manage.py certify_endpoint."
        )
    leaf = found[0]
    if leaf.not_after - now < ALARM_BEFORE:
        ends = "ended" if leaf.not_after <= now else "ends"
        return (
            f"The server certificate of the mTLS endpoint {ends} on {leaf.not_after:%-d %B %Y} and was not renewed. "
            "See that worker and beat are running, or run manage.py certify_endpoint."
        )
    return ""


def _is_good(*, now: datetime) -> bool:
    found, key = _stored(), _stored_key()
    if found is None or key is None:
        return False
    leaf, issuer = found
    authority = newest_authority(AuthorityPurpose.SERVICES)
    # Near the CA's own end no certificate is longer.
    lasts = leaf.not_after - now >= RENEW_BEFORE or leaf.not_after >= authority.certificate.not_after
    row = Certificate.objects.filter(fingerprint=leaf.fingerprint, revoked_at=None)
    return (
        lasts
        and leaf.public_key.spki == signers.spki(key)
        and set(leaf.subject_alternative_names) == names().as_facts()
        and issuer.der == bytes(authority.certificate.der)
        and row.exists()
    )


@transaction.atomic
def _certify(public_key: bytes, *, now: datetime) -> tuple[CertificateFacts, bytes]:
    """The new certificate, recorded, and the DER of its issuer."""
    authority = newest_authority(AuthorityPurpose.SERVICES)
    facts = _build(authority, public_key, now=now)
    if findings := [found for found in lint_certificate(facts.der) if str(found) != LOCALHOST_FINDING]:
        raise CAError(f"The endpoint’s certificate would not pass the lint: {'; '.join(map(str, findings))}.")
    issuer = read_certificate(bytes(authority.certificate.der))
    Certificate.objects.create(
        authority=authority,
        recorded_at=now,
        linted_at=now,
        **certificate_fields(facts, issuer_key=issuer.public_key),
    )
    PublicKey.objects.get_or_create(fingerprint=facts.public_key.fingerprint, defaults={"holder": HOLDER})
    record(
        "authority.endpoint-certified",
        actor=SYSTEM,
        on=AuditedObject(type="authority", id=authority.name, label=authority.label),
        now=now,
        after={
            "serial": facts.serial_hex,
            "not_after": facts.not_after.isoformat(),
            "names": ", ".join(facts.subject_alternative_names),
        },
    )
    return facts, issuer.der


def _build(authority: Authority, public_key: bytes, *, now: datetime) -> CertificateFacts:
    profile = profiles.server_profile(authority)
    issuer = signers.signer_of(authority)
    begin, hosts = now.replace(microsecond=0), names()
    return build_verified_certificate(
        profile=profile,
        subject=encode_subject([("O", settings.CA_ORGANISATION), ("CN", "Rehearsal mTLS Endpoint")]),
        public_key=public_key,
        issuer=issuer.certificate,
        issuer_key=issuer.key,
        serial=new_serial(),
        not_before=max(begin - BACKDATE, issuer.certificate.not_before),
        not_after=min(begin + timedelta(days=profile.days), issuer.certificate.not_after),
        dns_names=hosts.dns,
        ip_addresses=hosts.addresses,
    )


def _stored() -> tuple[CertificateFacts, CertificateFacts] | None:
    """The certificate and its issuer as they lie in the directory; None where they are missing or not readable."""
    try:
        leaf, issuer = map(read_certificate, certificate_ders(chain_path().read_bytes()))
    except (OSError, UnreadableInput, ValueError):
        return None
    return leaf, issuer


def _stored_key() -> EllipticCurvePrivateKey | None:
    """The key as it lies in the directory; None where it is missing, not readable, or readable by others."""
    key = key_files.load_unencrypted(key_path())
    return key if isinstance(key, EllipticCurvePrivateKey) else None


def _key() -> signers.PrivateKey:
    """The endpoint's key, made where there is none that can be used."""
    key: signers.PrivateKey | None = _stored_key()
    if key is None:
        key = algorithms.generate(KEY_ALGORITHM)
        with _told_where():
            key_files.write_unencrypted(key_path(), key)
    return key


@contextmanager
def _alone() -> Iterator[None]:
    """Let another process that renews the same files wait: it finds a good certificate then."""
    with _told_where():
        directory = os.open(settings.GATEWAY_DIRECTORY, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


@contextmanager
def _told_where() -> Iterator[None]:
    """Make the directory, and raise CAError where it cannot be written."""
    directory = Path(settings.GATEWAY_DIRECTORY)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield
    except OSError as error:
        raise CAError(
            f"The endpoint’s server certificate cannot be stored in {directory} ({error.strerror}). "
            "Make that directory writable."
        ) from error
