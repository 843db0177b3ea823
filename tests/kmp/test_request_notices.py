"""The mails about requests: to whom, with which facts, and the one next step."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority
from connect.models import Channel, Notice, User
from connect.templatetags.look import colon_hex
from kmp import requests
from kmp.models import CertificateRequest
from kmp.signing import sign
from tests.factories import make_company, make_user
from tests.kmp.factories import make_entry, make_officer
from tests.kmp.wizard import GROUP, browser, company_of, make_draft, make_renewal, make_two_officers, submitted, url

A2A = "a2a-commerce-client"
OFFICERS = {"olga@acme.example", "piet@acme.example", GROUP}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def olga() -> User:
    make_officer()  # Of another company, who is told nothing.
    return make_two_officers()[0]


def mails(kind: str) -> dict[str, Notice]:
    """The mails of one kind by address."""
    return {notice.address: notice for notice in Notice.objects.filter(kind=f"kmp.{kind}", channel=Channel.MAIL)}


def has_facts(notice: Notice, request: CertificateRequest, *more: str) -> bool:
    facts = (request.number, "Developers portal client", "MTF", request.common_name, *more)
    return all(fact in notice.text and fact in notice.html for fact in facts)


def link(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def test_submitted(olga: User) -> None:
    request = submitted(make_draft(olga))
    requests.submit(request, by=olga, actor=Actor(olga.email), now=timezone.now())
    found = mails("request-submitted")
    assert set(found) == OFFICERS
    for notice in found.values():
        assert has_facts(notice, request)
        assert notice.subject == f"{request.number} was submitted: Developers portal client, MTF"
        assert link(url("request", request.number)) in notice.text
    bells = Notice.objects.filter(kind="kmp.request-submitted", channel=Channel.BELL)
    assert {bell.address for bell in bells} == OFFICERS - {GROUP}
    assert not mails("request-waiting"), "the automatic review needs no mail"


def test_waiting_for_key_management(olga: User) -> None:
    make_user(email="keymanagement@site.example", company=None, is_staff=True)
    make_user(email="gone@site.example", company=None, is_staff=True, is_active=False)
    request = submitted(make_draft(olga, A2A))
    found = mails("request-waiting")
    assert set(found) == {"keymanagement@site.example"}
    notice = found["keymanagement@site.example"]
    assert notice.subject == f"{request.number} of Acme Payments Ltd waits for review"
    assert link(url("review", request.number)) in notice.text
    assert "Key Management reviews it" in mails("request-submitted")[GROUP].text


def test_rejected(olga: User) -> None:
    request = submitted(make_draft(olga))
    reason = "O is not <your> company & CID."
    requests.reject(request, reason=reason, decided_by="Kay", actor=Actor("kay"), now=timezone.now())
    found = mails("request-rejected")
    assert set(found) == OFFICERS
    for notice in found.values():
        assert has_facts(notice, request)
        assert reason in notice.text, "text is not escaped"
        assert "O is not &lt;your&gt; company &amp; CID." in notice.html
        assert "Correct and submit again" in notice.text
        assert link(url("request", request.number)) in notice.html


def test_cancelled(olga: User) -> None:
    entry = make_entry(company_of(olga))
    request = submitted(make_renewal(olga, entry))
    requests.cancel(request, by=olga, actor=Actor(olga.email), now=timezone.now())
    found = mails("request-cancelled")
    assert set(found) == OFFICERS
    assert has_facts(found[GROUP], request, entry.reference)
    assert "Olga Stern cancelled" in found[GROUP].text


def test_a_draft_that_is_cancelled_concerns_nobody(olga: User) -> None:
    requests.cancel(make_draft(olga), by=olga, actor=Actor(olga.email), now=timezone.now())
    assert not Notice.objects.exists()


def test_signed(olga: User) -> None:
    old = make_entry(company_of(olga))
    request = submitted(make_renewal(olga, old))
    entry = sign(request, decided_by="automatic review", actor=Actor("automatic review"), now=timezone.now())
    request.refresh_from_db()
    found = mails("request-signed")
    assert set(found) == OFFICERS
    for notice in found.values():
        certificate = entry.certificate
        serial, fingerprint = colon_hex(certificate.serial), colon_hex(certificate.fingerprint)
        assert has_facts(notice, request, serial, fingerprint, entry.reference, old.reference)
        assert link(url("entry", entry.reference)) in notice.text
        assert notice.subject == f"{entry.reference} was signed: Developers portal client, MTF"


@pytest.mark.parametrize("left", ["withdrawn", "another-company", "inactive"])
def test_who_is_no_officer_of_the_company_any_more_is_told_nothing(olga: User, left: str) -> None:
    request = submitted(make_draft(olga))
    if left == "withdrawn":
        olga.access_requests.update(state="withdrawn")
    elif left == "another-company":
        User.objects.filter(pk=olga.pk).update(company=make_company())
    else:
        User.objects.filter(pk=olga.pk).update(is_active=False)
    requests.reject(request, reason="No.", decided_by="Kay", actor=Actor("kay"), now=timezone.now())
    assert set(mails("request-rejected")) == {"piet@acme.example", GROUP}
    bells = Notice.objects.filter(kind="kmp.request-rejected", channel=Channel.BELL)
    assert [bell.address for bell in bells] == ["piet@acme.example"]


def test_the_link_of_each_officer_leads_to_the_request(olga: User) -> None:
    request = submitted(make_draft(olga))
    olga.access_requests.update(state="withdrawn")
    requests.reject(request, reason="No.", decided_by="Kay", actor=Actor("kay"), now=timezone.now())
    bells = Notice.objects.filter(kind="kmp.request-rejected", channel=Channel.BELL)
    opened = {}
    for bell in bells:
        assert bell.recipient is not None
        opened[bell.address] = browser(bell.recipient).get(bell.link).status_code
    assert opened == {"piet@acme.example": 200}
    assert browser(olga).get(bells[0].link).status_code == 404
