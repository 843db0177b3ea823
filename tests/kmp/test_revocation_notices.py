"""Officers and the group mailbox are told of each certificate of the inventory that is revoked, whoever did it."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from certauthority.x509.requests import new_private_key
from connect.models import Channel, Company, Notice, User
from connect.templatetags.look import colon_hex
from kmp import entries
from kmp.models import InventoryEntry
from portal import revocation
from tests.factories import make_company, make_credential, make_csr, make_project, make_user
from tests.kmp.factories import let_entry_expire, make_chain, make_entry, make_officer
from tests.kmp.wizard import GROUP, company_of, make_two_officers

KIND = "kmp.certificate-revoked"
OFFICERS = {"olga@acme.example", "piet@acme.example", GROUP}


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def olga() -> User:
    make_officer()  # Of another company, who is told nothing.
    return make_two_officers()[0]


@pytest.fixture
def company(olga: User) -> Company:
    return company_of(olga)


def revoke(
    entry: InventoryEntry, reason: RevocationReason = RevocationReason.SUPERSEDED, *, by: str = "olga@acme.example"
) -> bool:
    found = InventoryEntry.objects.select_related("certificate").get(pk=entry.pk)
    return entries.revoke(found, reason=reason, actor=Actor(by), now=timezone.now())


def mails(entry: InventoryEntry) -> dict[str, Notice]:
    found = Notice.objects.filter(event=f"{KIND}:{entry.reference}", channel=Channel.MAIL)
    return {notice.address: notice for notice in found}


def test_everybody_who_looks_after_it_is_told_once(olga: User, company: Company) -> None:
    entry = make_entry(company)
    assert revoke(entry)
    assert not revoke(entry)
    found = mails(entry)
    assert set(found) == OFFICERS
    facts = (
        f"The certificate {entry.reference} of Developers portal client in MTF was revoked by Olga Stern",
        "with the reason “Unused or replaced”",
        entry.common_name,
        str(colon_hex(entry.serial)),
        str(colon_hex(entry.certificate.fingerprint)),
        "No newer version can take over. Request a new certificate",
        f"{settings.SITE_URL}/kmp/requests/new/",
    )
    for notice in found.values():
        assert notice.subject == f"{entry.reference} was revoked: Developers portal client, MTF"
        html = notice.html.replace("<wbr>", "").replace("<strong>", "").replace("</strong>", "")
        assert [fact for fact in facts for text in (notice.text, html) if fact not in text] == []
        assert (notice.scope, notice.watched) == (str(company.pk), f"kmp:{entry.pk}")
    bells = Notice.objects.filter(kind=KIND, channel=Channel.BELL)
    assert {bell.address for bell in bells} == OFFICERS - {GROUP}


def test_the_newer_version_is_the_next_step(company: Company) -> None:
    old, new = make_chain(company, versions=2)
    revoke(old)
    notice = mails(old)[GROUP]
    assert f"{new.reference}, its newer version, is live." in notice.text
    assert notice.link == f"/kmp/certificates/{new.reference}/"


def test_a_newer_version_that_has_expired_is_none(company: Company) -> None:
    old, new = make_chain(company, versions=2)
    let_entry_expire(new, in_days=-1)
    revoke(old)
    assert "No newer version can take over." in mails(old)[GROUP].text


def test_a_compromised_key_is_told_for_each_certificate_with_it(company: Company) -> None:
    key = new_private_key()
    first, second = make_entry(company, key=key, unique="1"), make_entry(company, key=key, unique="2")
    other = make_entry(company)
    revoke(first, RevocationReason.KEY_COMPROMISE)
    for entry in (first, second):
        assert set(mails(entry)) == OFFICERS
        assert "with a new key" in mails(entry)[GROUP].text
        assert "Key compromise" in mails(entry)[GROUP].html
    assert not mails(other)


def test_who_is_no_officer_of_the_company_is_not_named(company: Company) -> None:
    key = new_private_key()
    entry = make_entry(company, key=key)
    developer = make_user(email="dev@acme.example", company=company)
    project = make_project(admin=developer)
    credential = make_credential(project, csr=make_csr(project, key=key))
    revocation.revoke(
        credential, reason=RevocationReason.KEY_COMPROMISE, actor=Actor(developer.email), now=timezone.now()
    )
    assert set(mails(entry)) == OFFICERS
    for notice in mails(entry).values():
        assert f"{entry.reference} of Developers portal client in MTF was revoked, with the reason" in notice.text
        assert "dev@acme.example" not in notice.text + notice.html


def test_a_company_without_a_group_address_is_told_through_its_officers(olga: User, company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(group_email="")
    entry = make_entry(Company.objects.get(pk=company.pk))
    revoke(entry)
    assert set(mails(entry)) == OFFICERS - {GROUP}


def test_other_companies_are_told_nothing(company: Company) -> None:
    other = make_company()
    stranger = make_officer(other, email="other@globex.example")
    revoke(make_entry(company))
    assert not Notice.objects.filter(recipient=stranger, kind=KIND).exists()


def test_nothing_is_told_where_the_revocation_comes_to_nothing(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_entry(company)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("certauthority.revocation.report_compromise", fail)
    with pytest.raises(OSError, match="disk"):
        revoke(entry, RevocationReason.KEY_COMPROMISE)
    assert not mails(entry)
