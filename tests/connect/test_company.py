"""The company's page: its details, its officers and administrators, and the group e-mail."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.companies import set_group_email
from connect.errors import NotAllowed
from connect.models import Company, User
from tests.connect.conftest import SignIn
from tests.connect.factories import grant_access, make_security_administrator
from tests.factories import make_company, make_user
from tests.page_text import text_of

PAGE, IN_KMP = "/connect/company/", "/kmp/company/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_sam(sam: User, sign_in: SignIn) -> Client:
    return sign_in(sam)


class TestThePage:
    def test_it_says_what_connect_knows(self, acme: Company, sam: User, dora: User, sign_in: SignIn) -> None:
        grant_access(dora, by=sam)
        Company.objects.filter(pk=acme.pk).update(group_email="certificates@acme.example")
        grant_access(make_user(name="Foreign Officer"))
        make_user(company=acme, name="Plain Person")
        text = text_of(sign_in(make_user(company=acme)).get(PAGE))
        for words in (
            "Name Acme Payments Ltd",
            "CID 123456 verified on",
            "Country GB",
            "Certificate Management Group Email certificates@acme.example",
            "Dora Lind Security Officer Level 1 dora@acme.example",
            "Sam Whitfield sam@acme.example",
        ):
            assert words in text
        assert "Foreign Officer" not in text
        assert "Plain Person" not in text
        assert "Withdraw" not in text

    def test_who_has_left_or_lost_access_is_no_officer_there(self, acme: Company, sam: User, as_sam: Client) -> None:
        gone, moved = make_user(company=acme, name="Gone Officer"), make_user(company=acme, name="Moved Officer")
        grant_access(gone, by=sam)
        grant_access(moved, by=sam)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        User.objects.filter(pk=moved.pk).update(company=make_company())
        text = text_of(as_sam.get(PAGE))
        assert "Gone Officer" not in text
        assert "Moved Officer" not in text

    def test_the_administrator_finds_the_way_to_withdraw(self, sam: User, dora: User, as_sam: Client) -> None:
        granted = grant_access(dora, by=sam)
        assert f"/connect/inbox/{granted.pk}/withdraw/" in as_sam.get(PAGE).content.decode()

    def test_a_company_without_anything(self, sign_in: SignIn) -> None:
        company = make_company(cid=None, verified_at=None, country="")
        text = text_of(sign_in(make_user(company=company)).get(PAGE))
        assert "None yet: certificates carry 000000" in text
        assert "Not verified" in text
        assert "Nobody has been granted the Key Management Portal yet." in text
        assert "The site’s staff decide on access requests" in text

    def test_who_belongs_to_no_company_is_told_so(self, kim: User, sign_in: SignIn) -> None:
        answer = sign_in(kim).get(PAGE)
        assert answer.status_code == 403
        assert "Your account belongs to no company." in text_of(answer)

    def test_queries_do_not_grow_with_officers(self, acme: Company, sam: User, dora: User, as_sam: Client) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as found:
                assert as_sam.get(PAGE).status_code == 200
            return len(found)

        grant_access(dora, by=sam)
        as_sam.get(PAGE)
        before = queries()
        for _ in range(3):
            grant_access(make_user(company=acme), by=sam)
            make_security_administrator(acme)
        assert queries() == before


class TestTheGroupEmail:
    def test_an_administrator_sets_it(self, acme: Company, sam: User, as_sam: Client) -> None:
        answer = as_sam.post(PAGE, {"group_email": "certs@acme.example"}, follow=True)
        assert answer.redirect_chain == [(PAGE, 302)]
        assert "The Certificate Management Group Email is saved." in text_of(answer)
        acme.refresh_from_db()
        assert acme.group_email == "certs@acme.example"
        event = AuditEvent.objects.get(action="company.changed")
        assert (event.actor, event.before, event.after) == (
            sam.email,
            {"group_email": ""},
            {"group_email": "certs@acme.example"},
        )
        as_sam.post(PAGE, {"group_email": "certs@acme.example"})
        assert AuditEvent.objects.filter(action="company.changed").count() == 1

    def test_an_officer_sets_it_in_kmp(self, acme: Company, dora: User, sign_in: SignIn) -> None:
        grant_access(dora)
        client = sign_in(dora)
        text = text_of(client.get(IN_KMP))
        assert "My Company" in text
        assert "Dora Lind Security Officer Level 1" in text
        answer = client.post(IN_KMP, {"group_email": "certs@acme.example"}, follow=True)
        assert answer.redirect_chain == [(IN_KMP, 302)]
        acme.refresh_from_db()
        assert acme.group_email == "certs@acme.example"

    @pytest.mark.parametrize("address", ["", "nonsense", "a@b", "a@acme.example\nBcc: x@y.example", "x" * 300])
    def test_a_bad_address_changes_nothing(self, acme: Company, as_sam: Client, address: str) -> None:
        answer = as_sam.post(PAGE, {"group_email": address})
        assert answer.status_code == 200
        acme.refresh_from_db()
        assert acme.group_email == ""

    def test_nobody_else(self, acme: Company, dora: User, sign_in: SignIn) -> None:
        client = sign_in(dora)
        assert "group_email" not in client.get(PAGE).content.decode()
        assert client.post(PAGE, {"group_email": "evil@x.example"}).status_code == 403
        assert client.post(IN_KMP, {"group_email": "evil@x.example"}).status_code == 403
        for user in (dora, make_security_administrator(), grant_access(make_user()).user):
            with pytest.raises(NotAllowed, match="Only Security Administrators and security officers of Acme"):
                set_group_email(acme, address="evil@x.example", by=user, actor=Actor(user.email), now=timezone.now())
        acme.refresh_from_db()
        assert acme.group_email == ""

    def test_it_needs_a_token(self, sam: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(sam)
        assert client.post(PAGE, {"group_email": "certs@acme.example"}).status_code == 403


class TestInKmp:
    def test_it_is_for_officers_with_the_way_to_the_store(self, sam: User, as_sam: Client) -> None:
        answer = as_sam.get(IN_KMP)
        assert answer.status_code == 403
        assert "/connect/store/" in answer.content.decode()


class TestTheTopBar:
    def test_everybody_has_store_and_items_officers_kmp_and_deciders_the_inbox(
        self, sam: User, dora: User, kim: User, sign_in: SignIn
    ) -> None:
        plain = sign_in(dora).get(PAGE).content.decode()
        assert 'href="/connect/store/"' in plain
        assert 'href="/connect/items/"' in plain
        assert 'href="/connect/inbox/"' not in plain
        assert 'href="/kmp/' not in plain
        grant_access(dora, by=sam)
        assert 'href="/kmp/' in sign_in(dora).get(PAGE).content.decode()
        assert 'href="/connect/inbox/"' in sign_in(sam).get(PAGE).content.decode()
        staff = sign_in(kim).get("/connect/store/").content.decode()
        assert 'href="/kmp/' in staff
        assert 'href="/connect/inbox/"' in staff
