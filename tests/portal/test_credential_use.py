"""The use of a credential on its page: the chart, where calls came from, the last calls, and what htmx asks for."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http import HTTPStatus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, ReasonCode, RevocationReason
from certauthority.use_records import record_calls
from portal import revocation
from portal.models import Credential, Project
from tests.certauthority.seen_calls import seen
from tests.connect.factories import move_clock
from tests.factories import make_credential
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url

HTMX = {"HX-Request": "true"}


@pytest.fixture
def credential(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="payouts-2027")


def call(
    credential: Credential,
    *,
    ago: timedelta = timedelta(),
    reason: ReasonCode | None = None,
    environment: str = "sandbox",
    address: str = "127.0.0.1",
) -> datetime:
    """One call so long ago: accepted, unless told otherwise."""
    at = timezone.now() - ago
    record_calls([seen(credential.certificate, at, reason=reason, environment=environment, address=address)])
    return at


def page_of(client: Client, credential: Credential, query: str = "") -> str:
    return text_of(client.get(credential_url("credential", credential) + query))


def test_a_certificate_without_calls_says_how_to_make_the_first(as_bob: Client, credential: Credential) -> None:
    response = as_bob.get(credential_url("credential", credential))
    assert "No call yet" in text_of(response)
    assert '<a class="btn" href="#try-it">' in response.content.decode()
    assert "No call has been made with this certificate yet." in text_of(response)
    assert "Called from" not in text_of(response)


def test_one_that_has_ended_without_calls_offers_none(as_bob: Client, credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    page = as_bob.get(credential_url("credential", credential))
    assert "No call yet" in text_of(page)
    assert "Make the first call" not in text_of(page)


def test_what_to_do_first_stands_first(as_bob: Client, credential: Credential) -> None:
    """A certificate that was never called is to be tried; of one in use the calls are looked for."""
    html = as_bob.get(credential_url("credential", credential)).content.decode()
    assert (
        html.index('id="try-it"') < html.index('id="calls"') < html.index('id="use"') < html.index('id="propagation"')
    )
    call(credential)
    html = as_bob.get(credential_url("credential", credential)).content.decode()
    assert (
        html.index('id="calls"') < html.index('id="use"') < html.index('id="try-it"') < html.index('id="propagation"')
    )


def test_the_first_call_shows_everywhere_and_later_ones_in_the_list(as_bob: Client, credential: Credential) -> None:
    """What says that there was no call is asked for again with the list; a chart stays as it is while it is read."""
    url = credential_url("credential", credential)
    again = f'hx-get="{url}?use=7d" hx-trigger="calls-changed from:body" hx-select="#uses"'
    assert again in as_bob.get(url, {"use": "7d"}).content.decode()
    call(credential)
    assert again not in as_bob.get(url, {"use": "7d"}).content.decode()
    part = as_bob.get(f"{url}calls/", headers={"HX-Request": "true"})
    assert "calls-changed" in part["HX-Trigger"]
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    assert again in as_bob.get(url, {"use": "7d"}).content.decode(), "whoever revoked waits for refusals"


def test_every_figure_is_that_of_the_calls(as_bob: Client, credential: Credential) -> None:
    call(credential, address="10.0.0.5")
    text = page_of(as_bob, credential)
    assert "1 accepted, 0 refused in the last 48 hours" in text
    assert "Of the last call none was refused." in text
    call(credential, reason=ReasonCode.WRONG_ENVIRONMENT, address="10.20.4.17")
    call(credential, reason=ReasonCode.WRONG_ENVIRONMENT, address="10.20.4.17", ago=timedelta(hours=3))
    call(credential, reason=ReasonCode.REVOKED, address="10.0.0.5", ago=timedelta(hours=2))
    text = page_of(as_bob, credential)
    assert "1 accepted, 3 refused in the last 48 hours" in text
    assert "Of the last 4 calls 3 were refused: wrong environment (2), revoked (1)." in text
    assert "Refused calls came from 10.20.4.17 and 1 more." in text


def test_the_sources_are_told_with_their_counts(as_bob: Client, credential: Credential) -> None:
    first = call(credential, address="10.0.0.5", ago=timedelta(days=2))
    last = call(credential, address="10.0.0.5")
    call(credential, address="2001:db8::1", reason=ReasonCode.EXPIRED, ago=timedelta(hours=1))
    text = page_of(as_bob, credential)
    row = f"10.0.0.5 {first:%-d %b %Y, %H:%M} UTC {last:%-d %b %Y, %H:%M} UTC, just now 2 0"
    assert row in text
    assert re.search(r"2001:db8::1 .* 0 1 ", text)


def test_of_many_sources_the_latest_are_shown(as_bob: Client, credential: Credential) -> None:
    now = timezone.now()
    record_calls(
        [
            seen(credential.certificate, now - timedelta(minutes=number), address=f"10.0.0.{number}")
            for number in range(1, 26)
        ]
    )
    text = page_of(as_bob, credential)
    assert "The 20 latest addresses" in text
    assert "10.0.0.20 " in text
    assert "10.0.0.21 " not in text


def test_the_period_stands_in_the_address(as_bob: Client, credential: Credential) -> None:
    for days in (0, 5, 60, 100):
        call(credential, ago=timedelta(days=days))
    assert "1 accepted, 0 refused in the last 48 hours" in page_of(as_bob, credential)
    assert "2 accepted, 0 refused in the last 7 days" in page_of(as_bob, credential, "?use=7d")
    assert "3 accepted, 0 refused in the last 90 days" in page_of(as_bob, credential, "?use=90d")
    assert "in the last 48 hours" in page_of(as_bob, credential, "?use=<script>")
    html = as_bob.get(credential_url("credential", credential) + "?use=7d").content.decode()
    assert '<a href="?use=7d#use" aria-current="page">7 days</a>' in html


def test_a_certificate_that_was_last_called_long_ago_says_so(as_bob: Client, credential: Credential) -> None:
    call(credential, ago=timedelta(days=20))
    text = page_of(as_bob, credential)
    assert "No call in the last 48 hours." in text
    assert "No call yet" not in text


def test_the_last_calls_are_listed_the_newest_first(as_bob: Client, credential: Credential) -> None:
    call(credential, ago=timedelta(minutes=5), reason=ReasonCode.SUPERSEDED)
    at = call(credential, reason=ReasonCode.REVOKED, address="10.20.4.17", environment="production")
    text = page_of(as_bob, credential)
    line = f"{at:%-d %b, %H:%M:%S} UTC Revoked Production 10.20.4.17 TLSv1.3 TLS_AES_256_GCM_SHA384"
    assert line in text
    assert text.index(line) < text.index("Accepted, superseded Sandbox 127.0.0.1")


def test_last_used_is_real_time_though_the_clock_is_ahead(as_alice: Client, credential: Credential) -> None:
    call(credential)
    move_clock(credential.project.company, timedelta(days=45))
    row = text_of(as_alice.get(f"/projects/{credential.project_id}/sandbox/"))
    assert "Last used" in row
    assert "Just now" in row
    assert "just now" in page_of(as_alice, credential)


def calls_of(client: Client, credential: Credential, query: str = "", **headers: str) -> tuple[int, str]:
    response = client.get(credential_url("credential_calls", credential) + query, headers=headers)
    return response.status_code, response.content.decode()


def test_htmx_gets_the_list_and_nothing_while_it_has_not_changed(as_bob: Client, credential: Credential) -> None:
    call(credential)
    status, first = calls_of(as_bob, credential, **HTMX)
    assert (status, first.count("<tr>")) == (HTTPStatus.OK, 2)
    assert first.lstrip().startswith('<section class="card flush" id="calls"')
    asks = re.search(r'hx-get="([^"]+)"', first)
    assert asks is not None
    seen_token = asks[1].partition("?")[2]
    assert calls_of(as_bob, credential, f"?{seen_token}", **HTMX) == (HTTPStatus.NO_CONTENT, "")
    call(credential, reason=ReasonCode.REVOKED)
    status, then = calls_of(as_bob, credential, f"?{seen_token}", **HTMX)
    assert (status, then.count("<tr>")) == (HTTPStatus.OK, 3)
    assert "Revoked" in then


def test_a_full_list_changes_with_every_call(as_bob: Client, credential: Credential) -> None:
    for _ in range(60):
        call(credential)
    tokens = set()
    for _ in range(2):
        tokens.add(re.findall(r"seen=([0-9a-f]+)", calls_of(as_bob, credential, **HTMX)[1])[0])
        call(credential)
    assert len(tokens) == 2


def test_refusals_after_a_revocation_still_appear_and_a_day_later_nobody_waits(
    as_bob: Client, credential: Credential
) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())
    assert "hx-get" in calls_of(as_bob, credential, **HTMX)[1]
    Credential.objects.filter(pk=credential.pk).update(ended_at=timezone.now() - timedelta(hours=25))
    status, html = calls_of(as_bob, credential, **HTMX)
    assert status == HTTPStatus.OK
    assert "hx-get" not in html


def test_without_htmx_the_list_is_on_the_page(as_bob: Client, credential: Credential) -> None:
    response = as_bob.get(credential_url("credential_calls", credential))
    assert response.status_code == HTTPStatus.FOUND
    assert response["Location"] == credential_url("credential", credential)


def test_strangers_see_no_calls(as_charlie: Client, credential: Credential) -> None:
    call(credential)
    assert calls_of(as_charlie, credential, **HTMX)[0] == HTTPStatus.NOT_FOUND
    assert as_charlie.post(credential_url("credential_calls", credential)).status_code == HTTPStatus.METHOD_NOT_ALLOWED


def test_the_number_of_queries_does_not_grow_with_the_calls(as_bob: Client, credential: Credential) -> None:
    now, counted = timezone.now(), []
    as_bob.get(credential_url("credential", credential))  # What a session remembers is asked once.
    for calls in (2, 20):
        record_calls(
            [
                seen(credential.certificate, now - timedelta(hours=number), address=f"10.0.0.{number}")
                for number in range(calls)
            ]
        )
        with CaptureQueriesContext(connection) as page:
            as_bob.get(credential_url("credential", credential))
        with CaptureQueriesContext(connection) as part:
            calls_of(as_bob, credential, **HTMX)
        counted.append((len(page), len(part)))
    assert counted[0] == counted[1]
    assert counted[0][1] <= 6
