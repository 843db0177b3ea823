from __future__ import annotations

import subprocess
from base64 import b64decode

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7 as library_pkcs7

from certauthority.x509.armor import certificate_ders
from certauthority.x509.export import pem, pem_bundle, pkcs7
from tests.x509.certificates_made import client, developers, root, rsa_key


def chain() -> list[bytes]:
    return [client(developers(), key=rsa_key()), developers().der, root().der]


def test_pem_text_has_lines_of_64_characters_and_an_end() -> None:
    der = client(developers())

    lines = pem(der).split("\n")

    assert (lines[0], lines[-2], lines[-1]) == ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "")
    assert all(len(line) == 64 for line in lines[1:-3])
    assert 1 <= len(lines[-3]) <= 64
    assert b64decode("".join(lines[1:-2])) == der


def test_a_bundle_keeps_the_order_and_can_be_read_back() -> None:
    bundle = pem_bundle(chain()).encode()

    ders = chain()
    assert certificate_ders(pem_bundle(ders).encode()) == ders
    assert len(x509.load_pem_x509_certificates(bundle)) == 3


def test_openssl_reads_the_pkcs7_bundle() -> None:
    ders = chain()
    command = ["openssl", "pkcs7", "-inform", "der", "-print_certs"]

    printed = subprocess.run(command, input=pkcs7(ders), capture_output=True, check=True).stdout

    assert {pem(der) for der in ders} == {
        "-----BEGIN CERTIFICATE-----" + part.partition("-----END")[0] + "-----END CERTIFICATE-----\n"
        for part in printed.decode().split("-----BEGIN CERTIFICATE-----")[1:]
    }


def test_the_library_reads_the_pkcs7_bundle_of_one_and_of_many() -> None:
    for ders in (chain(), chain()[:1]):
        read = library_pkcs7.load_der_pkcs7_certificates(pkcs7(ders))

        assert {certificate.serial_number for certificate in read} == {
            x509.load_der_x509_certificate(der).serial_number for der in ders
        }
