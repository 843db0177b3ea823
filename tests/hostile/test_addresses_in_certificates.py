"""Addresses in what people send us (AIA, CRL distribution points, OCSP) are never called: a listener stays silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority import trust
from portal.models import Credential
from tests.factories import make_csr
from tests.hostile.forms_found import file_of
from tests.portal.foreign_ca import ForeignCa, name
from tests.whole_site import WholeSite


class Listener:
    """A server on loopback that takes every connection and remembers that there was one."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.calls = 0
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()

    def close(self) -> None:
        """Take what has come, and no more."""
        # A connection of our own comes last: what was under way before it has been counted then.
        before = self.calls
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as own:
            own.recv(1)
        assert self.calls > before, "the listener listens"
        self.calls -= 1
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@contextmanager
def silent_listener() -> Iterator[str]:
    """The address of a listener that must not be called while the block lasts."""
    listener = Listener()
    try:
        yield f"http://127.0.0.1:{listener.port}"
    finally:
        listener.close()
    assert listener.calls == 0, "somebody followed an address in a certificate"


def with_addresses(
    ca: ForeignCa, url: str, *, is_ca: bool = False, common_name: str = "client.elsewhere.example"
) -> bytes:
    """PEM of a certificate whose every address leads to the listener."""
    key, begin = ec.generate_private_key(ec.SECP256R1()), timezone.now() - timedelta(days=1)
    subject = ca.name if is_ca else name("client.elsewhere.example")
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{url}/ocsp")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(f"{url}/ca")),
    ]
    points = [
        x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/{kind}")], None, None, None)
        for kind in ("crl", "delta")
    ]
    certificate = (
        ca._builder(subject, key.public_key(), begin=begin, days=300)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .add_extension(x509.CRLDistributionPoints(points[:1]), critical=False)
        .add_extension(x509.FreshestCRL(points[1:]), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def csr_with_addresses(url: str, site: WholeSite) -> str:
    """A CSR whose wished-for extensions hold the addresses."""
    asked = x509.load_pem_x509_csr(make_csr(site.project))
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/crl")], None, None, None)
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(asked.subject)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(url)]), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    return request.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("is_trusted", [True, False], ids=["a trusted issuer", "an unknown issuer"])
def test_an_uploaded_certificate(site: WholeSite, *, is_trusted: bool) -> None:
    ca, client = ForeignCa(), site.client("admin")
    if is_trusted:
        trust.add(ca.pem, note="", actor=Actor("staff@site.example"), now=timezone.now())
    before = Credential.objects.count()
    with silent_listener() as url:
        leaf = with_addresses(ca, url)
        for page in ("check_certificate", "upload_certificate"):
            address = reverse(f"portal:{page}", args=[site.project.pk, "sandbox"])
            form = {"alias": f"elsewhere-{page}", "submission": "6b1f7c0e-55f4-4a6e-9f0e-0d6ad3a5c1aa"}
            assert client.post(address, {**form, "certificate_file": file_of(leaf)}).status_code in (200, 302)
        for credential in Credential.objects.filter(certificate__authority=None):
            client.get(reverse("portal:credential", args=[site.project.pk, "sandbox", credential.pk]))
    assert Credential.objects.count() - before == int(is_trusted)


def test_a_ca_that_staff_add(site: WholeSite) -> None:
    with silent_listener() as url:
        certificate = with_addresses(ForeignCa("Listening Root"), url, is_ca=True)
        address = reverse("portal:trusted_ca_add")
        response = site.client("staff").post(address, {"certificate": certificate.decode(), "note": ""})
        assert response.status_code in (200, 302)


@pytest.mark.parametrize("page", ["check_csr", "paste_csr", "clinic"])
def test_a_csr(site: WholeSite, page: str) -> None:
    place = [] if page == "clinic" else [site.project.pk, "sandbox"]
    with silent_listener() as url:
        form = {"alias": "a", "environment": "sandbox", "project": str(site.project.pk)}
        form["csr"] = csr_with_addresses(url, site)
        assert site.client("admin").post(reverse(f"portal:{page}", args=place), form).status_code == 200
