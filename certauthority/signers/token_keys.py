"""Keys of CAs that never leave a PKCS#11 token, in the shape of the library's own keys: what signs with one needs no
other code for the other.

A token has two objects for each key, which share an identifier: the private key, which can neither be read nor copied
out, and the public one. Hashes are made here, so that a token is sent a few octets and not a CRL of 40 MB.
"""

from __future__ import annotations

import secrets
from typing import NoReturn

import pkcs11
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass
from pkcs11.types import SignMixin
from pkcs11.util.ec import encode_named_curve_parameters

from certauthority.errors import SigningUnavailable
from certauthority.signers import token
from certauthority.signers.algorithms import CURVES, PrivateKey, check_algorithm, rsa_bits
from certauthority.x509 import der

# DigestInfo of RFC 8017, 9.2, up to the hash itself.
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_IDENTIFIER_OCTETS = 16
# What keeps a key in its token. Where a token disagrees, ``_check_that_it_stays`` says so.
_STAYS = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
}


class TokenRsaKey(rsa.RSAPrivateKey):
    """An RSA key in a token: PKCS #1 v1.5 with SHA-256, as our CAs sign."""

    def __init__(self, name: str, public: rsa.RSAPublicKey) -> None:
        self._name, self._public = name, public

    def sign(
        self, data: bytes, padding: AsymmetricPadding, algorithm: Prehashed | hashes.HashAlgorithm | NoDigestInfo
    ) -> bytes:
        """Raises SigningUnavailable."""
        _check(_is_pkcs1(padding) and isinstance(algorithm, hashes.SHA256))
        return _sign(self._name, self._public, Mechanism.RSA_PKCS, _SHA256_INFO + _hash(data, hashes.SHA256()))

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        _refuse()

    def private_numbers(self) -> rsa.RSAPrivateNumbers:
        _refuse()

    def private_bytes(self, *_: object, **__: object) -> bytes:
        _refuse()

    def __copy__(self) -> TokenRsaKey:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> TokenRsaKey:
        return self


class TokenEcKey(ec.EllipticCurvePrivateKey):
    """An EC key in a token, which gives r and s side by side; what is handed on is DER (RFC 3279, 2.2.3)."""

    def __init__(self, name: str, public: ec.EllipticCurvePublicKey) -> None:
        self._name, self._public = name, public

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:  # type: ignore[override]  # we sign octets, and no other buffer
        """Raises SigningUnavailable."""
        algorithm = signature_algorithm.algorithm
        if not isinstance(algorithm, hashes.SHA256 | hashes.SHA384):
            _refuse()
        raw = _sign(self._name, self._public, Mechanism.ECDSA, _hash(data, algorithm))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        _refuse()

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        _refuse()

    def private_bytes(self, *_: object, **__: object) -> bytes:
        _refuse()

    def __copy__(self) -> TokenEcKey:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> TokenEcKey:
        return self


def create(name: str, algorithm: str) -> PrivateKey:
    """Make a key in the token, under this label.

    Raises:
        SigningUnavailable: the token cannot be used, or makes a key that could leave it.
    """
    check_algorithm(algorithm)

    def make(session: pkcs11.Session) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
        # Writing is for this alone; the login counts for every session of a process.
        with session.token.open(rw=True) as writing:
            public, private = _generate(writing, name, algorithm)
            _check_that_it_stays(private, name)
            return _public_key(public)

    return _key(name, token.current().use(make, repeatable=False))


def load(name: str, spki: bytes) -> PrivateKey:
    """The key in the token that belongs to this SubjectPublicKeyInfo.

    Raises:
        SigningUnavailable: the token cannot be used, or does not hold it.
    """
    key = load_der_public_key(spki)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise SigningUnavailable(f"The certificate of the CA {name} has neither an RSA nor an EC key.")
    token.current().use(lambda session: _handle(session, name, key))
    return _key(name, key)


def _key(name: str, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> PrivateKey:
    return TokenRsaKey(name, public) if isinstance(public, rsa.RSAPublicKey) else TokenEcKey(name, public)


def _sign(name: str, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, mechanism: Mechanism, data: bytes) -> bytes:
    return token.current().use(lambda session: bytes(_handle(session, name, public).sign(data, mechanism=mechanism)))


def _handle(session: pkcs11.Session, name: str, public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> SignMixin:
    """The private key beside the public one that the certificate has; several may have the same label."""
    handles, spki = token.current().handles, _spki(public)
    if spki not in handles:
        handles[spki] = _found(session, name, spki)
    return handles[spki]


def _found(session: pkcs11.Session, name: str, spki: bytes) -> SignMixin:
    publics = list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: name}))
    for candidate in publics:
        if isinstance(candidate, pkcs11.PublicKey) and _spki(_public_key(candidate)) == spki:
            wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: candidate[Attribute.ID]}
            for private in session.get_objects(wanted):
                if isinstance(private, SignMixin):
                    return private
    label = token.current().label
    if publics:
        raise SigningUnavailable(
            f"The keys {name} in the token {label} belong to other certificates. Connect the right token, or restore "
            "its backup."
        )
    raise SigningUnavailable(
        f"The token {label} has no key {name}. Connect the right token, or restore its backup; if the key is in a "
        "file, set SIGNER=file."
    )


def _generate(session: pkcs11.Session, name: str, algorithm: str) -> tuple[pkcs11.PublicKey, pkcs11.PrivateKey]:
    identifier = secrets.token_bytes(_IDENTIFIER_OCTETS)
    flags = MechanismFlag.SIGN | MechanismFlag.VERIFY
    if algorithm not in CURVES:
        return session.generate_keypair(
            KeyType.RSA,
            rsa_bits(algorithm),
            id=identifier,
            label=name,
            store=True,
            capabilities=flags,
            private_template=_STAYS,
        )
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVES[algorithm].name)}
    parameters = session.create_domain_parameters(KeyType.EC, curve, local=True)
    return parameters.generate_keypair(
        id=identifier, label=name, store=True, capabilities=flags, private_template=_STAYS
    )


def _check_that_it_stays(private: pkcs11.PrivateKey, name: str) -> None:
    if any(private[attribute] != value for attribute, value in _STAYS.items()):
        private.destroy()
        raise SigningUnavailable(
            f"The token {token.current().label} made a key {name} that could leave it, so it is not used. Let the "
            "token make keys that are sensitive and not extractable."
        )


def _public_key(public: pkcs11.PublicKey) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    if public.key_type == KeyType.RSA:
        modulus, exponent = public[Attribute.MODULUS], public[Attribute.PUBLIC_EXPONENT]
        return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()
    for curve in CURVES.values():
        if public[Attribute.EC_PARAMS] == encode_named_curve_parameters(curve.name):
            return ec.EllipticCurvePublicKey.from_encoded_point(curve, _point(public[Attribute.EC_POINT], curve))
    raise SigningUnavailable(
        f"A key in the token {token.current().label} is neither RSA nor EC on P-256 or P-384. Give it another label."
    )


def _point(value: bytes, curve: ec.EllipticCurve) -> bytes:
    """PKCS #11 has the point in an OCTET STRING; some tokens leave that away."""
    is_bare = len(value) == 1 + 2 * ((curve.key_size + 7) // 8)
    return value if is_bare else der.read_one(value).expect(der.OCTET_STRING).content


def _spki(public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _hash(data: bytes, algorithm: hashes.SHA256 | hashes.SHA384) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _is_pkcs1(scheme: AsymmetricPadding) -> bool:
    return isinstance(scheme, padding.PKCS1v15)


def _check(is_ours: bool) -> None:
    if not is_ours:
        _refuse()


def _refuse() -> NoReturn:
    raise UnsupportedAlgorithm(
        "A key in a token signs as our CAs do, and does nothing else: it never leaves the token."
    )
