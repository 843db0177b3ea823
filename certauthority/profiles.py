"""What our certificates look like. Durations come from the settings, addresses from ``SITE_URL``."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from certauthority.models import Authority
from certauthority.x509.profile import Profile

RESPONDER_DAYS = 30
SERVER_DAYS = 90


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
        ocsp_url=ocsp_url(root),
    )


def responder_profile(issuer: Authority) -> Profile:
    """A delegated OCSP responder: short-lived, and itself not looked up (RFC 6960, 4.2.2.2)."""
    return Profile(
        name="ocsp responder",
        is_ca=False,
        path_length=None,
        key_usage=("digitalSignature",),
        extended_key_usage=("OCSPSigning",),
        months=0,
        days=RESPONDER_DAYS,
        ocsp_no_check=True,
        ca_issuer_url=certificate_url(issuer),
    )


def client_profile(issuer: Authority, shard: int | None = None) -> Profile:
    """A client certificate: clientAuth only; keyEncipherment is added for RSA keys. It names the CRL of its shard."""
    return _client_profile(issuer.name, shard, settings.CLIENT_CERTIFICATE_MONTHS, settings.SITE_URL)


# Two issuers, of two generations, with all the shards that they may have.
@lru_cache(maxsize=512)
def _client_profile(issuer_name: str, shard: int | None, months: int, site_url: str) -> Profile:
    """The profile is the same for every certificate of an issuer and a shard, so it is checked once."""
    return Profile(
        name="client",
        is_ca=False,
        path_length=None,
        key_usage=("digitalSignature",),
        extended_key_usage=("clientAuth",),
        months=months,
        crl_url=_crl_address(issuer_name, shard, site_url),
        ca_issuer_url=_address("certauthority:certificate", issuer_name, site_url),
        ocsp_url=_address("ocsp", issuer_name, site_url),
    )


def server_profile(issuer: Authority) -> Profile:
    """The server certificate of the live endpoint: serverAuth only, and short-lived."""
    return Profile(
        name="server",
        is_ca=False,
        path_length=None,
        key_usage=("digitalSignature",),
        extended_key_usage=("serverAuth",),
        months=0,
        days=SERVER_DAYS,
        crl_url=crl_url(issuer),
        ca_issuer_url=certificate_url(issuer),
        ocsp_url=ocsp_url(issuer),
    )


def crl_url(authority: Authority, shard: int | None = None) -> str:
    """Where relying parties fetch the CRL: plain http, because checking https would need a CRL (RFC 5280, 8)."""
    return _crl_address(authority.name, shard, settings.SITE_URL)


def crl_path(authority: Authority, shard: int | None) -> str:
    """The same on this site: the full list, or that of a shard."""
    return _crl_path(authority.name, shard)


def certificate_url(authority: Authority) -> str:
    """Where relying parties fetch the CA's own certificate."""
    return _address("certauthority:certificate", authority.name, settings.SITE_URL)


def ocsp_url(authority: Authority) -> str:
    """Where relying parties ask about single certificates (RFC 6960, A.1)."""
    return _address("ocsp", authority.name, settings.SITE_URL)


def _crl_address(name: str, shard: int | None, site_url: str) -> str:
    return _site(site_url) + _crl_path(name, shard)


def _crl_path(name: str, shard: int | None) -> str:
    if shard:
        return reverse("certauthority:crl_shard", args=[name, shard])
    return reverse("certauthority:crl", args=[name])


def _address(view: str, name: str, site_url: str) -> str:
    return _site(site_url) + reverse(view, args=[name])


def _site(site_url: str) -> str:
    """An address inside a certificate needs a fully qualified name or an IP address (RFC 5280, 4.2.1.6)."""
    site = urlsplit(site_url)
    host = site.netloc
    if site.hostname == "localhost":
        host = host.replace("localhost", "127.0.0.1", 1)
    return f"http://{host}"
