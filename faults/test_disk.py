"""A disk that is full as files are written: the endpoint's server certificate, and the keys of the CAs.

Certificates, CRLs and requests are rows (see test_database.py for a full disk there); these are the files there are.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from faults.agreement import check_orders
from faults.site import Site
from tools.stack.layout import PORTAL


def _files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_endpoint_s_certificate_cannot_be_written(site: Site, found: Callable[..., None]) -> None:
    """The old one stays whole; once there is room, the next run writes the new one."""
    directory = site.stack.layout.state / "gateway"
    before = _files(directory)
    another_name = {"CERTIFIED_HOSTS": f"{PORTAL},spare.localhost"}
    said = site.work("on-full-disk", "certify_endpoint", **another_name)["said"]
    assert said
    assert _files(directory) == before
    site.stack.manage("manage", "certify_endpoint", **another_name)
    after = _files(directory)
    certificate = x509.load_pem_x509_certificate(after["endpoint.pem"])
    assert certificate.public_key() == load_pem_private_key(after["endpoint.key.pem"], None).public_key()
    assert set(after) == set(before), "nothing is left lying about"
    site.stack.manage("manage", "certify_endpoint")
    found(
        "Disk full as the endpoint's certificate is written", "1 new certificate", "the old one whole; then the new one"
    )


def test_the_keys_of_the_cas_cannot_be_written(site: Site, found: Callable[..., None]) -> None:
    """A new passphrase that cannot be written changes no key; the site signs on."""
    directory = site.stack.layout.state / "ca"
    before = _files(directory)
    new = site.stack.layout.directory / "new-passphrase"
    new.write_text(secrets.token_urlsafe(48), encoding="ascii")
    said = site.work("on-full-disk", "change_ca_passphrase", f"--new-passphrase-file={new}")["said"]
    assert "as they were" in said
    assert _files(directory) == before
    order = site.order()
    site.issue_again([order])
    check_orders(site.database, [order.submission])
    found(
        "Disk full as the CAs' keys are written", "1 new passphrase", f"{len(before)} files as they were; 1 certificate"
    )
