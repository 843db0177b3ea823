"""Making certificates: written from the profile alone, signed, and read back by an independent reader.

The writer is ours (see `signing`), the reader is the library's; whatever one gets wrong the other refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from . import der as asn1
from .certificates import CertificateFacts, read_certificate
from .errors import ProfileError
from .profile import Profile
from .profile_extensions import ExtensionSet, IpAddress, extensions_for
from .signing import SigningKey, algorithm_identifier, sign, write_integer, write_time

_VERSION_3 = asn1.write(0xA0, write_integer(2))
_EMPTY_NAME = asn1.write(asn1.SEQUENCE, b"")
_MAX_SERIAL_BITS = 159
_SHA256_RSA = x509.SignatureAlgorithmOID.RSA_WITH_SHA256
# Made once: the library looks for its backend each time.
_ECDSA = {
    "secp256r1": (x509.SignatureAlgorithmOID.ECDSA_WITH_SHA256, ec.ECDSA(SHA256())),
    "secp384r1": (x509.SignatureAlgorithmOID.ECDSA_WITH_SHA384, ec.ECDSA(SHA384())),
}


def build_certificate(
    *,
    profile: Profile,
    subject: bytes,
    public_key: bytes,
    issuer: CertificateFacts | None,
    issuer_key: SigningKey,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[IpAddress] = (),
) -> bytes:
    """The DER of a signed certificate; ``issuer=None`` makes a self-signed one.

    ``subject`` is the DER of a name and ``public_key`` that of a SubjectPublicKeyInfo: both stand in the certificate
    octet for octet. Fractions of a second are cut off. Raises ProfileError for what the profile or the issuer does
    not allow, among it a validity that is not wholly within the issuer's. Call `verify_certificate` on the result.
    """
    _check_request(profile, subject, serial, not_before, not_after)
    _check_issuer(profile, subject, issuer, not_before, not_after)
    extensions = _extensions(profile, public_key, issuer, dns_names, ip_addresses)
    parts = [
        _VERSION_3,
        write_integer(serial),
        algorithm_identifier(issuer_key),
        issuer.subject.der if issuer else subject,
        asn1.write(asn1.SEQUENCE, write_time(not_before) + write_time(not_after)),
        subject,
        public_key,
        asn1.write(0xA3, extensions.written()),
    ]
    return sign(asn1.write(asn1.SEQUENCE, b"".join(parts)), issuer_key)


def build_verified_certificate(
    *,
    profile: Profile,
    subject: bytes,
    public_key: bytes,
    issuer: CertificateFacts | None,
    issuer_key: SigningKey,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[IpAddress] = (),
) -> CertificateFacts:
    """Build, sign, read back and compare: what comes out is what was asked, or ProfileError is raised."""
    der = build_certificate(
        profile=profile,
        subject=subject,
        public_key=public_key,
        issuer=issuer,
        issuer_key=issuer_key,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
    )
    return verify_certificate(
        der,
        profile=profile,
        subject=subject,
        public_key=public_key,
        issuer=issuer,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
    )


def _extensions(
    profile: Profile,
    public_key: bytes,
    issuer: CertificateFacts | None,
    dns_names: Sequence[str],
    ip_addresses: Sequence[IpAddress],
) -> ExtensionSet:
    identifier = bytes.fromhex(issuer.subject_key_identifier) if issuer else b""
    return extensions_for(
        profile,
        public_key=public_key,
        issuer_key_identifier=identifier,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
    )


def _check_request(profile: Profile, subject: bytes, serial: int, not_before: datetime, not_after: datetime) -> None:
    if not 0 < serial.bit_length() <= _MAX_SERIAL_BITS or serial < 0:
        raise ProfileError("A serial number is a positive number of at most 20 octets (RFC 5280, 4.1.2.2).")
    if subject == _EMPTY_NAME:
        raise ProfileError("A certificate of ours needs a subject with at least one attribute.")
    if not_after <= not_before:
        raise ProfileError(f"A certificate with the profile {profile.name} would end before it begins.")


def _check_issuer(
    profile: Profile, subject: bytes, issuer: CertificateFacts | None, not_before: datetime, not_after: datetime
) -> None:
    if issuer is None:
        if not profile.is_ca:
            raise ProfileError(f"The profile {profile.name} is not one of a CA, so a CA must sign it.")
        return
    name = issuer.subject.text
    if not issuer.is_ca or "keyCertSign" not in issuer.key_usage or not issuer.subject_key_identifier:
        raise ProfileError(f"{name} may not sign certificates: it is no CA, or lacks keyCertSign or a key identifier.")
    if profile.is_ca and issuer.path_length == 0:
        raise ProfileError(f"{name} may not sign certificates of CAs: its path length is 0 (RFC 5280, 4.2.1.9).")
    if subject == issuer.subject.der:
        raise ProfileError(f"{name} cannot sign a certificate for its own name.")
    if not_before < issuer.not_before:
        raise ProfileError(
            f"The certificate would begin {not_before:%Y-%m-%d %H:%M} UTC, before its CA, {name}, does "
            f"({issuer.not_before:%Y-%m-%d %H:%M} UTC). Let it begin later."
        )
    if not_after > issuer.not_after:
        raise ProfileError(
            f"The certificate would end {not_after:%Y-%m-%d %H:%M} UTC, after its CA, {name}, does "
            f"({issuer.not_after:%Y-%m-%d %H:%M} UTC). Staff must create the CA's next generation."
        )


def verify_certificate(
    der: bytes,
    *,
    profile: Profile,
    subject: bytes,
    public_key: bytes,
    issuer: CertificateFacts | None,
    serial: int,
    not_before: datetime,
    not_after: datetime,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[IpAddress] = (),
) -> CertificateFacts:
    """Read a signed certificate back and compare everything in it with what was asked, the signature last.

    Raises ProfileError that names the first field that differs, and that the certificate must not be handed out.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        has = _fields(certificate)
        signer = _public_key(issuer.public_key.spki if issuer else public_key)
    except Exception as error:  # The library raises late and many kinds; whatever it is, nothing may be handed out.
        raise _differs("form") from error
    extensions = _extensions(profile, public_key, issuer, dns_names, ip_addresses)
    wanted = {
        "version": x509.Version.v3,
        "serial number": serial,
        "issuer": issuer.subject.der if issuer else subject,
        "start of validity": _to_the_second(not_before),
        "end of validity": _to_the_second(not_after),
        "subject": subject,
        "public key": public_key,
        "extensions": [(extension.critical, extension.value) for extension in extensions.all()],
        "signature algorithm": _algorithm_of(signer),
    }
    for field, value in wanted.items():
        if has[field] != value:
            raise _differs(field)
    _check_issuer(profile, subject, issuer, not_before, not_after)
    _check_signature(certificate, signer)
    return read_certificate(der, loaded=certificate)


def _fields(certificate: x509.Certificate) -> dict[str, object]:
    return {
        "version": certificate.version,
        "serial number": certificate.serial_number,
        "issuer": certificate.issuer.public_bytes(),
        "start of validity": certificate.not_valid_before_utc,
        "end of validity": certificate.not_valid_after_utc,
        "subject": certificate.subject.public_bytes(),
        "public key": certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "extensions": [(extension.critical, extension.value) for extension in certificate.extensions],
        "signature algorithm": certificate.signature_algorithm_oid,
    }


def _to_the_second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


@lru_cache(maxsize=16)
def _public_key(spki: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key of a CA, loaded once: that takes a quarter of the time of a verification."""
    key = load_der_public_key(spki)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise TypeError("a CA has an RSA or EC key")
    return key


def _algorithm_of(signer: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> x509.ObjectIdentifier | None:
    if isinstance(signer, rsa.RSAPublicKey):
        return _SHA256_RSA
    return _ECDSA[signer.curve.name][0] if signer.curve.name in _ECDSA else None


def _check_signature(certificate: x509.Certificate, signer: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> None:
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    try:
        if isinstance(signer, rsa.RSAPublicKey):
            signer.verify(signature, signed, padding.PKCS1v15(), SHA256())
        else:
            signer.verify(signature, signed, _ECDSA[signer.curve.name][1])
    except Exception as error:
        raise _differs("signature") from error


def _differs(field: str) -> ProfileError:
    return ProfileError(
        f"The certificate that was just signed has another {field} than was asked for. It must not be handed out; "
        "tell the people who run this site."
    )
