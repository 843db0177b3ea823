"""The mail server: refusing for now, hanging, gone, and unreachable."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from faults.agreement import check_notices, wait_until
from faults.site import Site
from tests.connect.mail_server import Behaviour, bound_socket, mail_server

OF_ALIASES = "kind = 'portal.credential-added' AND subject <> '' AND watched = ANY(%s)"
TRIED = "SELECT count(*) FROM connect_notice WHERE watched = ANY(%s) AND channel = 'mail' AND attempts > 0"
# A mail that failed is tried again after a minute, and the sweep comes once in a minute.
BACK_OFF_SECONDS = 180


def _issued(site: Site, count: int) -> list[str]:
    """Issue so many certificates; how notices name them."""
    orders = [site.order() for _ in range(count)]
    site.issue_again(orders)
    submissions = [order.submission for order in orders]
    rows = site.database.rows("SELECT id::text FROM portal_credential WHERE submission::text = ANY(%s)", submissions)
    return [f"portal:{key}" for (key,) in rows]


def test_the_mail_server_refuses_hangs_and_goes_away(site: Site, found: Callable[..., None]) -> None:
    """The web does not wait for it; every mail arrives in the end."""
    watched: list[str] = []
    faults = {
        "says 451": Behaviour(data_reply="451 Try again later"),
        "hangs": Behaviour(seconds=30.0),
        "breaks off": Behaviour(drops_after_data=True),
    }
    for behaviour in faults.values():
        with (
            bound_socket() as place,
            mail_server(place, behaviour),
            site.between.leading_to("mail", place.getsockname()[1]),
        ):
            own = _issued(site, 2)
            wait_until(partial(site.database.count, TRIED, own), what="a mail was tried")
        watched += own
    with site.between.broken("mail", "cut"):
        watched += _issued(site, 2)
    site.wait_until_sent(OF_ALIASES, watched, count=len(watched), seconds=BACK_OFF_SECONDS)
    repeats = check_notices(site.database, site.mails, where=OF_ALIASES, values=[watched], repeats=0)
    found(
        f"Mail server {', '.join(faults)}; network to it cut",
        f"{len(watched)} forms",
        f"answered the first time; {len(watched)} mails in the end",
        f"{repeats} mails",
    )
