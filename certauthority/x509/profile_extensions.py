"""The extensions that a profile gives to a certificate (RFC 5280, 4.2)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from cryptography import x509
from cryptography.x509.extensions import ExtensionType
from cryptography.x509.oid import AuthorityInformationAccessOID

from . import der as asn1
from .errors import ProfileError
from .identifiers import KEY_USAGES, PURPOSES
from .profile import Profile
from .signing import write_extension

IpAddress = IPv4Address | IPv6Address

_RSA = "1.2.840.113549.1.1.1"
_MAX_DNS_NAMES = 100
_MAX_DNS_NAME_LENGTH = 253
_MAX_ADDRESSES = 10
_DNS_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True)
class WantedExtension:
    """An extension that the certificate must have, to write and to compare with."""

    value: ExtensionType
    critical: bool = False

    def written(self) -> bytes:
        """Its DER."""
        return write_extension(self.value.oid.dotted_string, self.value.public_bytes(), critical=self.critical)


@dataclass(frozen=True, slots=True)
class ExtensionSet:
    """Several extensions, in the order in which they are written, with the DER of each, one after another."""

    wanted: tuple[WantedExtension, ...]
    each_written: bytes

    def all(self) -> tuple[WantedExtension, ...]:
        """In the order in which they are written."""
        return self.wanted

    def written(self) -> bytes:
        """The DER of the SEQUENCE of all of them."""
        return asn1.write(asn1.SEQUENCE, self.each_written)

    def __add__(self, other: ExtensionSet) -> ExtensionSet:
        return ExtensionSet(self.wanted + other.wanted, self.each_written + other.each_written)


def _set_of(*wanted: WantedExtension) -> ExtensionSet:
    return ExtensionSet(wanted, b"".join(extension.written() for extension in wanted))


def extensions_for(
    profile: Profile,
    *,
    public_key: bytes,
    issuer_key_identifier: bytes,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress] = (),
) -> ExtensionSet:
    """What a certificate for this key has. An empty issuer key identifier means that it is self-signed.

    Raises ProfileError for a public key or names that cannot be certified with this profile.
    """
    return _extension_set(profile, public_key, issuer_key_identifier, tuple(dns_names), tuple(ip_addresses))


# A certificate's extensions are asked for twice in a row: to write them, and to compare what was read back.
@lru_cache(maxsize=16)
def _extension_set(
    profile: Profile,
    public_key: bytes,
    issuer_key_identifier: bytes,
    dns_names: tuple[str, ...],
    ip_addresses: tuple[IpAddress, ...],
) -> ExtensionSet:
    _check_dns_names(profile, dns_names)
    _check_addresses(profile, ip_addresses)
    if not (dns_names or ip_addresses) and "serverAuth" in profile.extended_key_usage:
        raise ProfileError("A server certificate needs at least one DNS name or IP address (RFC 9525, 3).")
    is_rsa, own_identifier = _key_facts(public_key)
    found = (
        _of_profile(profile, is_rsa)
        + _set_of(WantedExtension(x509.SubjectKeyIdentifier(own_identifier)))
        + _of_issuer(issuer_key_identifier or own_identifier)
    )
    names = [*map(x509.DNSName, dns_names), *map(x509.IPAddress, ip_addresses)]
    return found + _set_of(WantedExtension(x509.SubjectAlternativeName(names))) if names else found


# The same in every certificate of an issuer.
@lru_cache(maxsize=32)
def _of_issuer(key_identifier: bytes) -> ExtensionSet:
    return _set_of(WantedExtension(x509.AuthorityKeyIdentifier(key_identifier, None, None)))


def _key_facts(public_key: bytes) -> tuple[bool, bytes]:
    """Whether it is an RSA key, and its identifier by method 1: SHA-1 of the bits (RFC 5280, 4.2.1.2)."""
    try:
        algorithm, key = asn1.read_one(public_key).children()
        is_rsa = asn1.read_oid(algorithm.children()[0]) == _RSA
        bits = key.expect(asn1.BIT_STRING).content[1:]
    except (ValueError, IndexError) as error:
        raise ProfileError("The public key to be certified cannot be read.") from error
    return is_rsa, hashlib.sha1(bits, usedforsecurity=False).digest()


# Each list that certificates may name makes a profile of its own.
@lru_cache(maxsize=1024)
def _of_profile(profile: Profile, is_rsa: bool) -> ExtensionSet:
    usages = set(profile.key_usage)
    if is_rsa and not profile.is_ca and not profile.ocsp_no_check:
        usages.add("keyEncipherment")
    wanted = [
        WantedExtension(x509.BasicConstraints(profile.is_ca, profile.path_length), critical=True),
        WantedExtension(x509.KeyUsage(**{field: name in usages for name, field in KEY_USAGES.items()}), critical=True),
    ]
    if profile.extended_key_usage:
        purposes = [x509.ObjectIdentifier(PURPOSES[name]) for name in profile.extended_key_usage]
        wanted.append(WantedExtension(x509.ExtendedKeyUsage(purposes)))
    if profile.ocsp_no_check:
        wanted.append(WantedExtension(x509.OCSPNoCheck()))
    if profile.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(profile.crl_url)], None, None, None)
        wanted.append(WantedExtension(x509.CRLDistributionPoints([point])))
    if access := _access_descriptions(profile):
        wanted.append(WantedExtension(x509.AuthorityInformationAccess(access)))
    return _set_of(*wanted)


def _access_descriptions(profile: Profile) -> list[x509.AccessDescription]:
    return [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in (
            (AuthorityInformationAccessOID.OCSP, profile.ocsp_url),
            (AuthorityInformationAccessOID.CA_ISSUERS, profile.ca_issuer_url),
        )
        if url
    ]


def _check_dns_names(profile: Profile, dns_names: Sequence[str]) -> None:
    if dns_names and profile.is_ca:
        raise ProfileError("A CA certificate has no DNS names.")
    if len(dns_names) > _MAX_DNS_NAMES or len({name.lower() for name in dns_names}) < len(dns_names):
        raise ProfileError(f"A certificate has at most {_MAX_DNS_NAMES} DNS names, each of them once.")
    for name in dns_names:
        if len(name) > _MAX_DNS_NAME_LENGTH or not all(map(_DNS_LABEL.fullmatch, name.split("."))):
            raise ProfileError(
                f"“{name[:100]}” is not a DNS name. Use letters, digits, hyphens and dots (RFC 1034, 3.5)."
            )


def _check_addresses(profile: Profile, ip_addresses: Sequence[IpAddress]) -> None:
    if not ip_addresses:
        return
    if "serverAuth" not in profile.extended_key_usage:
        raise ProfileError("Only a server certificate has IP addresses.")
    if len(ip_addresses) > _MAX_ADDRESSES or len(set(ip_addresses)) < len(ip_addresses):
        raise ProfileError(f"A certificate has at most {_MAX_ADDRESSES} IP addresses, each of them once.")
