"""The reader of OCSP requests: what clients send, what RFC 6960 forbids, and never anything but a refusal."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509 import der, ocsp_request
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.limits import MAX_OCSP_CERTIFICATES, MAX_OCSP_REQUEST_BYTES
from certauthority.x509.ocsp_request import NONCE_OID, read_ocsp_request
from certauthority.x509.signing import write_extension, write_integer
from tests.x509.certificates_made import client, developers

SHA1_NULL = bytes.fromhex("300906052b0e03021a0500")
UNKNOWN_OID = "1.3.6.1.4.1.99999.1"


def sequence(*parts: bytes) -> bytes:
    return der.write(der.SEQUENCE, b"".join(parts))


def cert_id(serial: int = 5, algorithm: bytes = SHA1_NULL) -> bytes:
    return sequence(
        algorithm,
        der.write(der.OCTET_STRING, b"n" * 20),
        der.write(der.OCTET_STRING, b"k" * 20),
        write_integer(serial),
    )


def request(
    *cert_ids: bytes, before: bytes = b"", extensions: bytes = b"", single: bytes = b"", signature: bytes = b""
) -> bytes:
    """A request by hand: every part can be wrong."""
    wanted = sequence(*(sequence(one, single) for one in cert_ids or (cert_id(),)))
    tail = der.write(0xA2, sequence(extensions)) if extensions else b""
    return sequence(sequence(before, wanted, tail), signature)


def nonce(value: bytes) -> bytes:
    return write_extension(NONCE_OID, der.write(der.OCTET_STRING, value))


@pytest.mark.parametrize("algorithm", [SHA1(), SHA256()], ids=["SHA-1", "SHA-256"])
def test_it_reads_what_the_library_writes(algorithm: HashAlgorithm) -> None:
    certificate = x509.load_der_x509_certificate(client(developers()))
    issuer = x509.load_der_x509_certificate(developers().der)
    built = (
        ocsp.OCSPRequestBuilder()
        .add_certificate(certificate, issuer, algorithm)
        .add_extension(x509.OCSPNonce(b"0123456789abcdef"), critical=False)
        .build()
    )

    read = read_ocsp_request(built.public_bytes(Encoding.DER))

    (asked,) = read.cert_ids
    assert asked.serial == certificate.serial_number
    assert (asked.name_hash, asked.key_hash) == (built.issuer_name_hash, built.issuer_key_hash)
    assert read.nonce == b"0123456789abcdef"
    assert asked.raw in built.public_bytes(Encoding.DER)


def test_several_certificates_are_read_in_order() -> None:
    read = read_ocsp_request(request(cert_id(3), cert_id(1), cert_id(2)))
    assert [asked.serial for asked in read.cert_ids] == [3, 1, 2]
    assert read.nonce is None


@pytest.mark.parametrize(
    "data",
    [
        request(before=der.write(0xA0, write_integer(0))),
        request(before=der.write(0xA1, der.write(0x86, b"http://client.example"))),
        request(signature=der.write(0xA0, sequence(SHA1_NULL, der.write(der.BIT_STRING, b"\x00s")))),
        request(
            signature=der.write(
                0xA0, sequence(SHA1_NULL, der.write(der.BIT_STRING, b"\x00s"), der.write(0xA0, sequence(sequence())))
            )
        ),
        request(extensions=write_extension(UNKNOWN_OID, b"")),
        request(single=der.write(0xA0, sequence(write_extension("1.3.6.1.5.5.7.48.1.7", b"")))),
        request(extensions=sequence(der.write_oid(UNKNOWN_OID), b"\x01\x01\x00", der.write(der.OCTET_STRING, b""))),
        request(extensions=write_extension(NONCE_OID, der.write(der.OCTET_STRING, b"n" * 16), critical=True)),
        request(cert_id(algorithm=sequence(der.write_oid(UNKNOWN_OID)))),
    ],
    ids=[
        "version written",
        "requestor",
        "signature",
        "signature with chain",
        "unknown extension",
        "service locator",
        "critical written as false",
        "critical nonce",
        "unknown hash",
    ],
)
def test_what_the_standard_allows_is_read(data: bytes) -> None:
    assert [asked.serial for asked in read_ocsp_request(data).cert_ids] == [5]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"rubbish",
        sequence(),
        sequence(sequence()),
        request() + b"\x00",
        request(before=der.write(0xA0, write_integer(1))),
        request(before=der.write(0xA1, write_integer(1))),
        request(signature=sequence()),
        request(signature=der.write(0xA0, sequence(SHA1_NULL))),
        request(*[cert_id()] * (MAX_OCSP_CERTIFICATES + 1)),
        sequence(sequence(sequence())),
        request(sequence(SHA1_NULL, der.write(der.OCTET_STRING, b"n"), der.write(der.OCTET_STRING, b"k"))),
        request(sequence(SHA1_NULL, der.write(der.OCTET_STRING, b"n"), write_integer(1), write_integer(1))),
        request(cert_id().replace(b"\x02\x01\x05", b"\x02\x01\x05\x00")),
        request(cert_id(algorithm=sequence(der.write_oid(UNKNOWN_OID), b"\x05\x00", b"\x05\x00"))),
        request(cert_id(algorithm=sequence(b"\x05\x00"))),
        request(extensions=nonce(b"")),
        request(extensions=nonce(b"n" * 129)),
        request(extensions=write_extension(NONCE_OID, b"n" * 16)),
        request(extensions=nonce(b"one") + nonce(b"two")),
        request(extensions=write_extension(UNKNOWN_OID, b"", critical=True)),
        request(single=der.write(0xA0, sequence(write_extension(UNKNOWN_OID, b"", critical=True)))),
        request(single=der.write(0xA0, sequence())),
        request(extensions=sequence(der.write_oid(UNKNOWN_OID), b"\x01\x01\x01", der.write(der.OCTET_STRING, b""))),
    ],
    ids=[
        "nothing",
        "cut off",
        "no DER",
        "empty",
        "no list",
        "something follows",
        "version 2",
        "requestor is no name",
        "signature without tag",
        "signature cut off",
        "too many",
        "asks for nothing",
        "no serial",
        "key hash is a number",
        "damaged serial",
        "two parameters",
        "algorithm without name",
        "empty nonce",
        "nonce of 129 octets",
        "nonce not wrapped",
        "two nonces",
        "unknown critical",
        "unknown critical of one",
        "empty extensions",
        "odd truth",
    ],
)
def test_everything_else_is_refused_in_a_sentence(data: bytes) -> None:
    with pytest.raises(UnreadableInput, match="no OCSP request") as refusal:
        read_ocsp_request(data)
    assert refusal.value.code == "ocsp.malformed"


@pytest.mark.parametrize("octets", [1, 32, 128])
def test_a_nonce_has_1_to_128_octets(octets: int) -> None:
    assert read_ocsp_request(request(extensions=nonce(b"n" * octets))).nonce == b"n" * octets


def test_the_most_certificates_are_read() -> None:
    assert len(read_ocsp_request(request(*[cert_id()] * MAX_OCSP_CERTIFICATES)).cert_ids) == MAX_OCSP_CERTIFICATES


def test_the_size_is_looked_at_first() -> None:
    with pytest.raises(UnreadableInput, match="16 KiB") as refusal:
        read_ocsp_request(b"\x30" * (MAX_OCSP_REQUEST_BYTES + 1))
    assert refusal.value.code == "ocsp.too-large"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_change_is_read_or_refused(noise: bytes, place: int) -> None:
    good = request(extensions=nonce(b"n" * 16))
    try:
        read = read_ocsp_request(good[:place] + noise + good[place + len(noise) :])
    except UnreadableInput:
        return
    assert read.cert_ids


@pytest.mark.parametrize("serial", [1, 127, 128, 255, 256, 2**158, 2**159 - 1])
@pytest.mark.parametrize("octets", [0, 1, 16, 32, 125, 126, 128])
def test_the_quick_reader_takes_what_clients_send(serial: int, octets: int) -> None:
    data = request(cert_id(serial), extensions=nonce(b"n" * octets) if octets else b"")
    quick = ocsp_request._common_request(data)
    assert quick == (None if octets > 125 else ocsp_request._request(data))
    assert read_ocsp_request(data) == ocsp_request._request(data)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3), st.sampled_from([0, 1, 16]))
def test_the_quick_reader_takes_nothing_else(place: int, noise: bytes, octets: int) -> None:
    good = request(extensions=nonce(b"n" * octets) if octets else b"")
    changed = good[:place] + noise + good[place + len(noise) :]
    quick = ocsp_request._common_request(changed)
    assert quick is None or quick == ocsp_request._request(changed)
