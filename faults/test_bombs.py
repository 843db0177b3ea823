"""Input that is meant to cost the site its memory or its time, through nginx."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from faults import big_rsa
from faults.site import Site

AT_ONCE = 4
GROWTH = 300 * 1024 * 1024


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def ten_megabytes() -> bytes:
    """A PEM whose one block is far too long."""
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + b"A" * 10_000_000 + b"\n-----END CERTIFICATE REQUEST-----\n"


def many_names() -> bytes:
    """A CSR with 10,000 alternative names."""
    names = x509.SubjectAlternativeName([x509.DNSName(f"n{number}.example") for number in range(10_000)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name("many")).add_extension(names, critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.PEM)


def long_chain() -> bytes:
    """A hundred CAs with one name and one key, each of which could have signed each."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(_name("look-alike")).issuer_name(_name("look-alike"))
    builder = builder.public_key(key.public_key()).not_valid_before(now).not_valid_after(now + timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return b"".join(
        builder.serial_number(number + 1).sign(key, hashes.SHA256()).public_bytes(Encoding.PEM) for number in range(100)
    )


BOMBS: dict[str, Callable[[], bytes]] = {
    "a PEM of 10 MB": ten_megabytes,
    "a CSR with 10,000 names": many_names,
    "a chain of 100 CAs": long_chain,
    "a CSR with an RSA key of 16,384 bits": big_rsa.request,
}
PLACES = {"csr": "paste-csr", "csr_file": "upload-csr", "certificate_file": "upload-certificate"}


@pytest.mark.parametrize("bomb", list(BOMBS))
def test_a_bomb_is_refused(site: Site, found: Callable[..., None], bomb: str) -> None:
    """It is refused at every place that takes such input; other people go on, and nothing is stored."""
    content = BOMBS[bomb]()
    before = _memory(site)
    statuses = {field: _sent(site, field, content) for field in PLACES}
    for field, status in statuses.items():
        assert status in (200, 400, 413), (field, status)
    if len(content) > 1_000_000:
        assert set(statuses.values()) == {413}
    assert site.database.count("SELECT count(*) FROM portal_credential WHERE alias LIKE 'bomb-%%'") == 0
    site.issue_again([site.order()])
    assert _memory(site) - before < GROWTH
    found(f"Bomb: {bomb}", f"{len(content):,} octets at 3 places", f"answered {sorted(set(statuses.values()))}, no row")


def _memory(site: Site) -> int:
    """Octets that both web servers hold."""
    pids = [pid for name in ("web1", "web2") for pid in (site.stack.pid(name), *site.stack.children(name))]
    return sum(int(psutil.Process(pid).memory_info().rss) for pid in pids)


def _sent(site: Site, field: str, content: bytes) -> int:
    """The status of the answer to a form with this content in a field."""
    boundary = secrets.token_hex(16)
    values = {**site.browser.token(), "alias": "bomb-1", "submission": site.order().submission}
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in values.items()]
    file = "" if field == "csr" else '; filename="bomb.pem"'
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"{file}\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    path = f"/projects/{site.project}/sandbox/add/{PLACES[field]}/"
    return site.browser.send("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}).status
