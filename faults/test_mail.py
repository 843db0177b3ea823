"""The mail server: refusing for now, hanging, going away, and unreachable."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from aiosmtpd.smtp import SMTP, Envelope, Session

from faults.agreement import wait_until
from faults.site import Site
from tests.connect.mail_server import Behaviour, bound_socket, mail_server

OF_CERTIFICATES = "kind = 'portal.credential-added' AND watched = ANY(%s)"
TRIED = (
    "SELECT count(*) FROM connect_notice WHERE watched = ANY(%s) AND channel = 'mail' "
    "AND (attempts > 0 OR state = 'sent')"
)
MAILS = "SELECT id::text FROM connect_notice WHERE watched = ANY(%s) AND channel = 'mail'"
# A guard against waiting for ever: a mail that failed is tried again after a minute, one that failed twice after two,
# the sweep comes once in a minute, and workers leave a server that does not answer alone for half a minute.
BACK_OFF_SECONDS = 480
WAYS = ("says 451", "hangs", "takes the mail and goes away")


@dataclass
class Troubled(Behaviour):
    """The first mails fail the first time, each in another way; the second time they are taken, as all others are.

    Those that are ``spared`` are taken at once: each mail is to fail in one way only.
    """

    spared: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)
    ways: Counter[str] = field(default_factory=Counter)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        """A whole message."""
        content = (envelope.original_content or b"").decode(errors="replace")
        (key,) = [line for line in content.splitlines() if line.lower().startswith("message-id:")]
        if any(one in key for one in self.spared):
            return await super().handle_DATA(server, session, envelope)
        self.seen[key] += 1
        if self.seen[key] > 1 or len(self.seen) > len(WAYS):
            return await super().handle_DATA(server, session, envelope)
        way = WAYS[len(self.seen) - 1]
        self.ways[way] += 1
        if way == "says 451":
            return "451 Try again later"
        if way == "hangs":
            await asyncio.sleep(30)
        elif isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        return "250 OK"


def _issued(site: Site, count: int) -> list[str]:
    """Issue so many certificates; how notices name them."""
    orders = [site.order() for _ in range(count)]
    site.issue_again(orders)
    submissions = [order.submission for order in orders]
    rows = site.database.rows("SELECT id::text FROM portal_credential WHERE submission::text = ANY(%s)", submissions)
    return [f"portal:{key}" for (key,) in rows]


def test_the_mail_server_cannot_be_reached_and_fails_in_three_ways(site: Site, found: Callable[..., None]) -> None:
    """The web does not wait for it; every mail is taken in the end, once for each time that the server said so."""
    with bound_socket() as place, mail_server(place, Troubled()) as server:
        assert isinstance(server, Troubled)
        with site.between.broken("mail", "cut"):
            watched = _issued(site, 2)
            wait_until(partial(site.database.count, TRIED, watched), what="a mail was tried")
            wait_until(lambda: len(site.database.rows(MAILS, watched)) == len(watched), what="each has its mail")
            server.spared = frozenset(key for (key,) in site.database.rows(MAILS, watched))
        with site.between.leading_to("mail", place.getsockname()[1]):
            watched += _issued(site, 4)
            site.wait_until_sent(OF_CERTIFICATES, watched, count=len(watched), seconds=BACK_OFF_SECONDS)
    assert set(server.ways) == set(WAYS)
    keys = site.database.rows(
        f"SELECT id::text FROM connect_notice WHERE channel = 'mail' AND {OF_CERTIFICATES}", watched
    )
    taken = Counter(key.strip("<>").partition("@")[0] for key in server.ids)
    assert {key: taken[key] + site.mails.counted()[key] for (key,) in keys} == {key: 1 for (key,) in keys}
    found(
        f"Mail server unreachable, {', '.join(WAYS)}",
        f"{len(watched)} forms",
        f"answered the first time; {len(watched)} mails taken in the end",
        f"{sum(times - 1 for times in server.ids.values())} mails",
    )
