from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certauthority.lint import lint_crl
from certauthority.x509.certificates import read_certificate
from certauthority.x509.errors import ProfileError
from certauthority.x509.export import pem
from certauthority.x509.profile import new_serial
from certauthority.x509.revocation_list import REASONS, build_crl, crl_entry
from certauthority.x509.signing import SigningKey
from tests.x509.certificates_made import NOW, Authority, authority, client, developers, ec_key, p384_key, root, rsa_key


def crl(entries: bytes = b"", *, ca: Authority | None = None, **changes: Any) -> bytes:
    ca = ca or developers()
    wanted = {"number": 1, "this_update": NOW, "next_update": NOW + timedelta(days=1), **changes}
    return build_crl(issuer=ca.facts, issuer_key=ca.key, entries=entries, **wanted)


@pytest.mark.parametrize("key", [ec_key(1), p384_key(), rsa_key()], ids=["P-256", "P-384", "RSA"])
@pytest.mark.parametrize("entries", [b"", crl_entry(serial=5, revoked_at=NOW, reason="superseded")])
def test_every_kind_of_key_makes_a_list_that_is_signed_and_passes_the_lint(key: SigningKey, entries: bytes) -> None:
    ca = authority("CA", key)

    revocation_list = crl(entries, ca=ca)

    assert lint_crl(revocation_list) == []
    assert x509.load_der_x509_crl(revocation_list).is_signature_valid(key.public_key())


def test_the_library_reads_back_what_was_written() -> None:
    entries = b"".join(
        crl_entry(serial=number, revoked_at=NOW - timedelta(days=number), reason=reason)
        for number, reason in enumerate(REASONS, start=1)
    )

    read = x509.load_der_x509_crl(crl(entries, number=2**100))

    assert read.issuer.public_bytes() == developers().facts.subject.der
    assert (read.last_update_utc, read.next_update_utc) == (NOW, NOW + timedelta(days=1))
    assert read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2**100
    key_identifier = read.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert key_identifier
    assert key_identifier.hex() == developers().facts.subject_key_identifier
    assert [extension.critical for extension in read.extensions] == [False, False]
    assert [(entry.serial_number, entry.revocation_date_utc, reason_of(entry)) for entry in read] == [
        (number, NOW - timedelta(days=number), reason) for number, reason in enumerate(REASONS, start=1)
    ]


def reason_of(entry: x509.RevokedCertificate) -> str:
    """Unspecified is said by saying nothing."""
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
    except x509.ExtensionNotFound:
        return "unspecified"


def test_a_list_of_nothing_has_no_list_in_it() -> None:
    assert len(x509.load_der_x509_crl(crl())) == 0
    # RFC 5280, 5.1.2.6: the dates are followed by the extensions at once.
    assert b"Z\xa0" in crl()


def test_dates_from_2050_on_are_written_as_the_standard_asks() -> None:
    last_second, midnight = datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
    entries = crl_entry(serial=1, revoked_at=last_second, reason="unspecified")
    entries += crl_entry(serial=2, revoked_at=midnight, reason="keyCompromise")

    revocation_list = crl(entries, this_update=midnight, next_update=midnight + timedelta(days=1))

    assert b"\x17\x0d491231235959Z" in revocation_list
    assert revocation_list.count(b"\x18\x0f20500101000000Z") == 2
    assert [entry.revocation_date_utc for entry in x509.load_der_x509_crl(revocation_list)] == [last_second, midnight]
    assert lint_crl(revocation_list) == []


def test_openssl_reads_it_and_refuses_the_revoked_certificate_alone(tmp_path: Path) -> None:
    good, revoked = client(developers()), client(developers(), common_name="revoked")
    entry = crl_entry(serial=read_certificate(revoked).serial, revoked_at=NOW, reason="keyCompromise")
    (tmp_path / "ca.pem").write_text(pem(developers().der) + pem(root().der))
    (tmp_path / "good.pem").write_text(pem(good))
    (tmp_path / "revoked.pem").write_text(pem(revoked))
    (tmp_path / "list.crl").write_bytes(crl(entry))
    check = ["openssl", "verify", "-attime", str(int(NOW.timestamp()) + 60), "-CAfile", "ca.pem", "-crl_check"]

    def openssl(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    text = openssl("openssl", "crl", "-inform", "der", "-in", "list.crl", "-noout", "-text", "-CAfile", "ca.pem")
    openssl("openssl", "crl", "-inform", "der", "-in", "list.crl", "-out", "crl.pem")
    assert "Key Compromise" in text.stdout
    assert "verify OK" in text.stderr
    assert openssl(*check, "-CRLfile", "crl.pem", "good.pem").stdout == "good.pem: OK\n"
    refused = openssl(*check, "-CRLfile", "crl.pem", "revoked.pem")
    assert refused.returncode == 2
    assert "certificate revoked" in refused.stderr


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": -1}, "0 or more"),
        ({"number": 2**159}, "20 octets"),
        ({"next_update": NOW}, "comes after"),
        ({"next_update": NOW - timedelta(days=1)}, "comes after"),
        ({"this_update": NOW.replace(tzinfo=None), "next_update": (NOW + timedelta(1)).replace(tzinfo=None)}, "zone"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        crl(**changes)


def test_only_an_authority_that_may_sign_lists_does() -> None:
    ca = developers()

    with pytest.raises(ProfileError, match="may not sign revocation lists"):
        crl(ca=replace(ca, facts=replace(ca.facts, key_usage=("keyCertSign",))))


@pytest.mark.parametrize("reason", ["removeFromCRL", "key_compromise", "KEYCOMPROMISE", ""])
def test_an_unknown_reason_is_refused(reason: str) -> None:
    with pytest.raises(ProfileError, match="no reason"):
        crl_entry(serial=1, revoked_at=NOW, reason=reason)


@pytest.mark.parametrize("serial", [0, -1])
def test_a_serial_that_is_not_positive_is_refused(serial: int) -> None:
    with pytest.raises(ProfileError, match="positive"):
        crl_entry(serial=serial, revoked_at=NOW, reason="superseded")


def test_it_holds_a_hundred_thousand_entries() -> None:
    entries = b"".join(crl_entry(serial=new_serial(), revoked_at=NOW, reason="superseded") for _ in range(100_000))
    assert len(x509.load_der_x509_crl(crl(entries))) == 100_000


ONE, TWO = "http://127.0.0.1:8000/ca/developers/1.crl", "http://127.0.0.1:8000/ca/developers/2.crl"


@pytest.mark.parametrize("addresses", [(ONE,), (ONE, TWO)], ids=["one", "two"])
def test_a_list_for_some_certificates_says_critically_for_which(addresses: tuple[str, ...]) -> None:
    made = crl(crl_entry(serial=5, revoked_at=NOW, reason="superseded"), addresses=addresses)

    read = x509.load_der_x509_crl(made)
    point = read.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    assert point.value.full_name == [x509.UniformResourceIdentifier(address) for address in addresses]
    assert not any(
        (
            point.value.only_contains_user_certs,
            point.value.only_contains_ca_certs,
            point.value.only_contains_attribute_certs,
            point.value.indirect_crl,
            point.value.only_some_reasons,
        )
    )
    assert [entry.serial_number for entry in read] == [5]
    assert lint_crl(made) == []


@pytest.mark.parametrize(
    "addresses",
    [("https://127.0.0.1/1.crl",), ("",), tuple(f"http://127.0.0.1/{number}.crl" for number in range(17))],
    ids=["https", "empty", "too many"],
)
def test_addresses_that_no_list_may_name_are_refused(addresses: tuple[str, ...]) -> None:
    with pytest.raises(ProfileError, match="at most 16 addresses"):
        crl(addresses=addresses)
