"""What our certificates look like. Durations come from the settings, addresses from ``SITE_URL``."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from certauthority.models import Authority
from certauthority.x509.profile import Profile


def root_profile() -> Profile:
    """The root: signs issuing CAs and its CRL, nothing else."""
    return Profile(
        name="root",
        is_ca=True,
        path_length=1,
        key_usage=("keyCertSign", "cRLSign"),
        extended_key_usage=(),
        months=12 * settings.CA_ROOT_YEARS,
    )


def issuing_profile(root: Authority) -> Profile:
    """An issuing CA: signs end-entity certificates only (path length 0)."""
    return Profile(
        name="issuing",
        is_ca=True,
        path_length=0,
        key_usage=("keyCertSign", "cRLSign"),
        extended_key_usage=(),
        months=12 * settings.CA_ISSUING_YEARS,
        crl_url=crl_url(root),
        ca_issuer_url=certificate_url(root),
    )


def client_profile(issuer: Authority) -> Profile:
    """A client certificate: clientAuth only; keyEncipherment is added for RSA keys."""
    return Profile(
        name="client",
        is_ca=False,
        path_length=None,
        key_usage=("digitalSignature",),
        extended_key_usage=("clientAuth",),
        months=settings.CLIENT_CERTIFICATE_MONTHS,
        crl_url=crl_url(issuer),
        ca_issuer_url=certificate_url(issuer),
    )


def crl_url(authority: Authority) -> str:
    """Where relying parties fetch the CRL: plain http, because checking https would need a CRL (RFC 5280, 8)."""
    return _plain_http(reverse("certauthority:crl", args=[authority.name]))


def certificate_url(authority: Authority) -> str:
    """Where relying parties fetch the CA's own certificate."""
    return _plain_http(reverse("certauthority:certificate", args=[authority.name]))


def _plain_http(path: str) -> str:
    """An address inside a certificate needs a fully qualified name or an IP address (RFC 5280, 4.2.1.6)."""
    site = urlsplit(str(settings.SITE_URL))
    host = site.netloc
    if site.hostname == "localhost":
        host = host.replace("localhost", "127.0.0.1", 1)
    return f"http://{host}{path}"
