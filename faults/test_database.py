"""PostgreSQL: ended at once, connections cut off, and refusing to store what was just signed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psycopg
import pytest
from cryptography import x509

from faults.agreement import check_orders
from faults.full_disk import full_disk, refusing
from faults.site import ISSUED, Crowd, Site
from tools.stack.running import StackProblem

OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = 'site' AND state = 'active' AND pid <> pg_backend_pid() LIMIT 1
"""
CERTIFICATES = "SELECT count(*) FROM certauthority_certificate"
ANY_BACKEND = "SELECT pid FROM pg_stat_activity WHERE usename = 'site' AND pid <> pg_backend_pid() LIMIT 1"


def test_postgresql_ends_at_once_during_200_issues(site: Site, found: Callable[..., None]) -> None:
    """`pg_ctl stop -m immediate` is SIGQUIT. What was answered is there; what was not is sent again."""
    crowd = Crowd(site, [site.order() for _ in range(200)], clients=200)
    crowd.begin()
    crowd.wait_for(40)
    site.stack.kill("database", "QUIT")
    answers = crowd.end()
    site.stack.wait_until_ready()
    taken = [name for name, answer in answers.items() if answer.status == ISSUED]
    check_orders(site.database, taken)
    rest = [order for order in crowd.orders if order.submission not in taken]
    assert rest, "the fault came too late to be one"
    stored = sum(site.made(order) for order in rest)
    site.issue_again(rest)
    check_orders(site.database, list(answers))
    found(
        "PostgreSQL ended at once (`-m immediate`)",
        "200 forms by 200 people at once",
        f"{len(taken)} answered, all with their row; {len(rest)} sent again, {stored} of which had been stored before; "
        "200 certificates",
    )


def test_single_connections_are_cut_off(site: Site, found: Callable[..., None]) -> None:
    """A backend that is terminated costs one request, and the next one on its connection works."""
    crowd = Crowd(site, [site.order() for _ in range(60)])
    crowd.begin()
    cut = 0
    for part in range(1, 11):
        crowd.wait_for(part * 5)
        cut += len(site.database.rows(OTHERS))
    assert cut, "each came too late"
    answers = crowd.end()
    taken = [name for name, answer in answers.items() if answer.status == ISSUED]
    check_orders(site.database, taken)
    site.issue_again([order for order in crowd.orders if order.submission not in taken])
    check_orders(site.database, list(answers))
    found("Single connections of PostgreSQL terminated", f"60 forms, {cut} cut off", f"{len(taken)} answered at once")


def test_a_backend_is_killed(site: Site, found: Callable[..., None]) -> None:
    """SIGKILL of one backend has PostgreSQL restart all of them; nothing that was answered is lost."""
    crowd = Crowd(site, [site.order() for _ in range(40)])
    crowd.begin()
    crowd.wait_for(10)
    ((pid,),) = site.database.rows(ANY_BACKEND)
    os.kill(pid, signal.SIGKILL)
    answers = crowd.end()
    site.stack.wait_until_ready()
    taken = [name for name, answer in answers.items() if answer.status == ISSUED]
    check_orders(site.database, taken)
    site.issue_again([order for order in crowd.orders if order.submission not in taken])
    check_orders(site.database, list(answers))
    found("One PostgreSQL backend killed", "40 forms by 16 people", f"{len(taken)} answered at once; 40 certificates")


def test_the_certificate_cannot_be_stored_after_it_was_signed(site: Site, found: Callable[..., None]) -> None:
    """Nothing of it remains, nobody gets it, and the same form works afterwards."""
    order = site.order()
    before = site.database.count(CERTIFICATES)
    refused = refusing(site, table="portal_credential", moment="INSERT", condition=f"NEW.alias = '{order.alias}'")
    with refused:
        answer = site.browser.issue(site.project, order)
        assert answer.status >= 500
        assert b"BEGIN CERTIFICATE" not in answer.body
        assert site.made(order) == 0
        assert site.database.count(CERTIFICATES) == before, "no certificate is there that nobody has"
    site.issue_again([order])
    check_orders(site.database, [order.submission])
    found("Storage fails after signing, by hand", "1 form", f"answered {answer.status}, nothing stored; 1 on repeating")


def test_the_decision_cannot_be_stored_after_it_was_signed(site: Site, found: Callable[..., None]) -> None:
    """A request stays undecided, and is signed by the sweep once the database takes it."""
    refused = refusing(site, table="kmp_certificaterequest", moment="UPDATE", condition="NEW.state = 'signed'")
    with refused:
        numbers = site.work("renewals", "5", "at-once")["numbers"]
        site.wait_until_claimed(numbers)
        assert "signed" not in site.states(numbers)
    site.wait_until_signed(numbers)
    found("Storage fails after signing, in a worker", "5 renewals", "undecided meanwhile; 5 signed by the sweep")


def test_the_disk_is_full_when_a_crl_is_published(site: Site, found: Callable[..., None]) -> None:
    """CRLs are rows here: the old one is served on, whole, and the next one has the next number."""
    before = _served_crl(site)
    with full_disk(site, "certauthority_revocationlist") as how, pytest.raises(StackProblem):
        site.work("publish")
    assert _served_crl(site) == before, "a CRL that could not be stored is not served"
    number = site.work("publish")["number"]
    assert number == before + 1
    found(
        f"Disk full for PostgreSQL as a CRL is published (CRLs are rows, no files): {how}",
        "1 CRL",
        f"CRL {before} served on; CRL {number} afterwards",
    )


def _served_crl(site: Site) -> int:
    """The number of the CRL that is given out; it is one that is stored."""
    status, body = site.ask_past_nginx("/ca/developers.crl")
    assert status == 200
    crl = x509.load_der_x509_crl(body)
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    assert site.database.rows("SELECT 1 FROM certauthority_revocationlist WHERE der = %s", psycopg.Binary(body))
    return number
