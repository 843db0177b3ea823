"""The clock jumps 400 days ahead, for the whole site at once. Nobody can turn it back, so this is the last test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509

from faults.agreement import check_notices
from faults.more_programs import DAYS, LATER, MOVED
from faults.site import Site

COUNT = 10
# nginx stays in the present, as those who call it do, and is not told of certificates that begin in 400 days.
LEFT = ("beat", "worker1", "worker2", "gateway", "web1", "web2", "certificates")
OF_CERTIFICATES = "watched = ANY(%s) AND threshold = 0"


def test_the_clock_is_400_days_ahead(site: Site, found: Callable[..., None]) -> None:
    """What has ended says so, people are told once, and what the CA publishes is renewed."""
    site.work("quiet")
    orders = [site.order() for _ in range(COUNT)]
    site.issue_again(orders)
    submissions = [order.submission for order in orders]
    keys = site.database.rows("SELECT id::text FROM portal_credential WHERE submission::text = ANY(%s)", submissions)
    watched = [f"portal:{key}" for (key,) in keys]
    for name in LEFT:
        site.stack.stop_process(name)
    for name in MOVED:
        site.stack.start_process(f"{name}{LATER}")
    then = datetime.now(UTC) + timedelta(days=DAYS)
    site.stack.wait_until_ready()
    _see_what_is_published(site, then)
    assert site.browser.get("/projects/").status == 302, "a session does not last for 400 days"
    site.browser.sign_in(site.email, site.password)
    shown = site.browser.get(f"/projects/{site.project}/sandbox/?show=expired").text.replace("<wbr>", "")
    assert [order.alias for order in orders if order.alias not in shown] == []
    site.wait_until_sent(OF_CERTIFICATES, watched, count=COUNT, seconds=180)
    again = check_notices(site.database, site.mails, where=OF_CERTIFICATES, values=[watched], repeats=0)
    _see_that_each_was_judged_once(site, watched)
    found(
        f"Clock {DAYS} days ahead",
        f"{COUNT} certificates of 13 months",
        f"{COUNT} shown as expired, {COUNT} mails of the end; CRLs and the endpoint's certificate renewed",
        f"{again} mails",
    )


def _see_what_is_published(site: Site, then: datetime) -> None:
    status, body = site.ask_past_nginx("/ca/developers.crl")
    assert status == 200
    crl = x509.load_der_x509_crl(body)
    assert crl.next_update_utc is not None
    assert crl.next_update_utc > then
    endpoint = x509.load_pem_x509_certificate((site.stack.layout.state / "gateway" / "endpoint.pem").read_bytes())
    assert endpoint.not_valid_after_utc > then


def _see_that_each_was_judged_once(site: Site, watched: list[str]) -> None:
    """One mail for each threshold and certificate: that of the end goes out, those before it were passed over."""
    rows = site.database.rows(
        "SELECT watched, threshold, state FROM connect_notice WHERE watched = ANY(%s) AND channel = 'mail' "
        "AND threshold IS NOT NULL",
        watched,
    )
    assert set(Counter((name, days) for name, days, _ in rows).values()) == {1}
    assert {state for _, days, state in rows if days != 0} <= {"skipped"}
