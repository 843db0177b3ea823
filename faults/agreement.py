"""What must hold after every fault, read from the database and from the mails that arrived.

No certificate without a row, no row without its certificate, nothing issued twice, nothing lost, no notice lost.
"""

from __future__ import annotations

import hashlib
import mailbox
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography import x509

from tools.stack.layout import PORTAL, Layout

# Longer than the slowest sweep (60 s) takes to come round on a busy machine.
GUARD_SECONDS = 180.0

ISSUED = """
    SELECT c.id, c.serial, c.fingerprint, c.public_key_fingerprint, c.der, i.der, a.purpose,
           (SELECT count(*) FROM portal_credential p WHERE p.certificate_id = c.id),
           (SELECT count(*) FROM kmp_inventoryentry k WHERE k.certificate_id = c.id)
    FROM certauthority_certificate c
    JOIN certauthority_authority a ON a.id = c.authority_id
    JOIN certauthority_certificate i ON i.id = a.certificate_id
    WHERE a.purpose IN ('developers', 'kmp')
      AND NOT EXISTS (SELECT 1 FROM certauthority_ocspresponder o WHERE o.certificate_id = c.id)
      AND c.subject NOT LIKE '%%OCSP%%'
"""
TOLD_OF = """
    SELECT c.id, (SELECT count(*) FROM audit_auditevent e
                  WHERE e.action = 'credential.added' AND e.object_id = c.id::text)
    FROM portal_credential c WHERE c.method <> 'uploaded-certificate' AND c.alias NOT LIKE 'bulk-%'
"""
SIGNED = """
    SELECT r.number, r.state, r.entry_id IS NOT NULL,
           (SELECT count(*) FROM audit_auditevent e WHERE e.action = 'kmp.request-signed' AND e.object_id = r.id::text)
    FROM kmp_certificaterequest r WHERE r.state IN ('submitted', 'in-review', 'signed', 'rejected')
"""


class Database:
    """The stack's database, asked past whatever a test has put between."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.database_url

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds, on a connection of its own."""
        with psycopg.connect(self._url, connect_timeout=5, autocommit=True) as connection:
            return connection.execute(query, values or None).fetchall()

    def count(self, query: str, *values: Any) -> int:
        """The one number that a query finds."""
        ((found,),) = self.rows(query, *values)
        return int(found)

    def execute(self, statement: str, *values: Any) -> None:
        """Change something as only who runs the site can."""
        with psycopg.connect(self._url, connect_timeout=5, autocommit=True) as connection:
            connection.execute(statement, values or None)


@dataclass(frozen=True)
class Mails:
    """The mails that arrived, by Message-ID."""

    layout: Layout

    def counted(self) -> Counter[str]:
        """How often each notice arrived, by its id."""
        found: Counter[str] = Counter()
        for message in mailbox.Maildir(self.layout.mails / "caught", create=False):
            key, _, host = str(message["Message-ID"]).strip("<>").partition("@")
            assert host == PORTAL, "every mail is a notice's"
            found[key] += 1
        return found


def wait_until(holds: Callable[[], Any], *, what: str, seconds: float = GUARD_SECONDS) -> None:
    """Look again until something holds. Raises AssertionError, which says what, where it never does."""
    until = time.monotonic() + seconds
    while True:
        try:
            found = holds()
        except psycopg.OperationalError:
            found = False
        if found:
            return
        assert time.monotonic() < until, f"still not so after {seconds:.0f} s: {what}"
        time.sleep(0.5)


def check_certificates(database: Database) -> int:
    """Every row has its certificate, every certificate its owner, and nothing was issued twice. How many there are."""
    rows = database.rows(ISSUED)
    for key, serial, fingerprint, _, der, issuer, purpose, credentials, entries in rows:
        certificate = x509.load_der_x509_certificate(bytes(der))
        assert f"{certificate.serial_number:x}" == serial, key
        assert hashlib.sha256(bytes(der)).hexdigest() == fingerprint, key
        certificate.verify_directly_issued_by(x509.load_der_x509_certificate(bytes(issuer)))
        assert (credentials, entries) == ((1, 0) if purpose == "developers" else (0, 1)), (key, credentials, entries)
    keys = Counter(row[3] for row in rows)
    assert [key for key, times in keys.items() if times > 1] == [], "a key was certified twice"
    assert [key for key, events in database.rows(TOLD_OF) if events != 1] == [], "one event for each credential"
    for number, state, has_entry, events in database.rows(SIGNED):
        assert has_entry == (state == "signed"), number
        assert events == (1 if state == "signed" else 0), number
    return len(rows)


def check_mails(database: Database, mails: Mails) -> None:
    """Nobody got a mail that no row knows of."""
    arrived = mails.counted().keys()
    known = {key for (key,) in database.rows("SELECT id::text FROM connect_notice WHERE channel = 'mail'")}
    assert arrived - known == set()


def check_orders(database: Database, submissions: Sequence[str]) -> None:
    """Each form that was sent, however often, made one live credential."""
    found = database.rows("SELECT submission::text, count(*) FROM portal_credential GROUP BY 1")
    made = Counter(dict(found))
    assert {name: made[name] for name in submissions} == dict.fromkeys(submissions, 1)


def check_notices(database: Database, mails: Mails, *, where: str, values: Sequence[Any], repeats: int) -> int:
    """Every mail that counts as sent arrived, none that did not count; at most so many repeats. How many there were."""
    rows = database.rows(f"SELECT id::text, state FROM connect_notice WHERE channel = 'mail' AND {where}", *values)
    arrived = mails.counted()
    lost = [key for key, state in rows if state == "sent" and arrived[key] == 0]
    assert lost == [], "a mail counts as sent, and never arrived"
    again = sum(arrived[key] - 1 for key, _ in rows if arrived[key])
    assert again <= repeats, f"{again} mails came again; {repeats} may"
    return again
