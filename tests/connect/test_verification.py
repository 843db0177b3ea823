"""Verify a company: at once where its CID is known, else by staff; and never with the CID of another company."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from connect.errors import CidRefused, NoLongerPossible, NotAllowed
from connect.models import Channel, Company, CompanyVerification, Notice, User, VerificationState
from connect.verification import decide_verification, verify_company
from tests.connect.conftest import SignIn
from tests.connect.factories import make_claim, make_security_administrator, make_staff
from tests.factories import make_company, make_user
from tests.page_text import text_of

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)
PAGE, QUEUE = "/connect/company/verify/", "/connect/verifications/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def globex() -> Company:
    return make_company(name="Globex Bank", cid=None, verified_at=None, country="DE")


@pytest.fixture
def charlie(globex: Company) -> User:
    return make_user(company=globex, email="charlie@globex.example", name="Charlie Okafor")


def verify(company: Company, by: User, cid: str = "") -> CompanyVerification:
    return verify_company(company, cid=cid, by=by, actor=Actor(by.email), now=NOW)


def decide(claim: CompanyVerification, by: User, *, confirm: bool = True, reason: str = "") -> CompanyVerification:
    return decide_verification(claim, by=by, confirm=confirm, reason=reason, actor=Actor(by.email), now=NOW)


def told(kind: str) -> list[str]:
    return sorted(Notice.objects.filter(kind=kind, channel=Channel.MAIL).values_list("address", flat=True))


class TestAtOnce:
    def test_a_company_whose_cid_is_known(self) -> None:
        company = make_company(cid="245901", verified_at=None)
        user, admin = make_user(company=company), make_security_administrator(company)
        assert company.certificate_cid == "000000"
        claim = verify(company, user)
        company.refresh_from_db()
        assert (company.certificate_cid, company.verified_at) == ("245901", NOW)
        assert (claim.state, claim.decided_at, claim.decided_by) == (VerificationState.CONFIRMED, NOW, None)
        assert told("connect.company-verified") == sorted([user.email, admin.email])
        event = AuditEvent.objects.get(action="company.verified")
        assert (event.actor, event.company, event.after["cid"]) == (user.email, str(company.pk), "245901")

    def test_not_with_another_number_than_the_known_one(self) -> None:
        company = make_company(cid="245901", verified_at=None)
        with pytest.raises(CidRefused, match="with another CID"):
            verify(company, make_user(company=company), "245902")
        company.refresh_from_db()
        assert company.verified_at is None

    def test_once(self) -> None:
        company = make_company(cid="245901")
        with pytest.raises(NoLongerPossible, match="is verified with the CID 245901 already"):
            verify(company, make_user(company=company))


class TestAClaim:
    def test_it_waits_for_staff(self, globex: Company, charlie: User) -> None:
        staff = make_staff()
        claim = verify(globex, charlie, " 7654321 ")
        globex.refresh_from_db()
        assert (claim.state, claim.cid, globex.cid, globex.verified_at) == ("pending", "7654321", None, None)
        assert told("connect.verification-requested") == [staff.email]
        notice = Notice.objects.get(recipient=staff, channel=Channel.BELL)
        assert (notice.subject, notice.link) == ("Globex Bank claims the CID 7654321", f"{QUEUE}{claim.pk}/")
        with pytest.raises(NoLongerPossible, match="waits for the site’s staff already"):
            verify(globex, charlie, "7654322")

    @pytest.mark.parametrize("cid", ["", "12345", "12345678901", "12345a", "١٢٣٤٥٦", "123 456", "123456\n7", "-123456"])
    def test_only_6_to_10_digits(self, globex: Company, charlie: User, cid: str) -> None:
        with pytest.raises(CidRefused, match="6 to 10 digits"):
            verify(globex, charlie, cid)

    @pytest.mark.parametrize("cid", ["123456", "1234567890"])
    def test_the_shortest_and_the_longest(self, globex: Company, charlie: User, cid: str) -> None:
        assert verify(globex, charlie, cid).cid == cid

    def test_not_the_number_of_nobody(self, globex: Company, charlie: User) -> None:
        with pytest.raises(CidRefused, match="no verified company"):
            verify(globex, charlie, "000000")

    @pytest.mark.parametrize("verified", [True, False])
    def test_the_cid_of_another_company_is_refused_without_telling_whose(
        self, globex: Company, charlie: User, verified: bool
    ) -> None:
        make_company(name="Acme Payments Ltd", cid="123456", verified_at=NOW if verified else None)
        with pytest.raises(CidRefused) as refusal:
            verify(globex, charlie, "123456")
        assert str(refusal.value) == (
            "123456 cannot be the CID of Globex Bank. Check the number; if it is right, write to the site’s staff."
        )

    def test_not_by_people_of_another_company(self, globex: Company) -> None:
        with pytest.raises(NotAllowed, match="Only people of Globex Bank"):
            verify(globex, make_user(), "7654321")


class TestStaff:
    def test_they_confirm(self, globex: Company, charlie: User) -> None:
        claim, staff = make_claim(charlie), make_staff()
        assert decide(claim, staff).decided_by == staff
        globex.refresh_from_db()
        assert globex.certificate_cid == "7654321"
        assert told("connect.company-verified") == [charlie.email]
        assert AuditEvent.objects.get(action="company.verified").actor == staff.email

    def test_they_refuse_with_a_reason_and_the_company_claims_again(self, globex: Company, charlie: User) -> None:
        claim, staff = make_claim(charlie), make_staff()
        with pytest.raises(NotAllowed, match="Give a reason"):
            decide(claim, staff, confirm=False)
        decide(claim, staff, confirm=False, reason="No such number")
        globex.refresh_from_db()
        assert (globex.cid, globex.verified_at) == (None, None)
        assert "Reason: No such number" in Notice.objects.get(recipient=charlie, channel=Channel.MAIL).text
        assert make_claim(charlie, cid="7654322").state == VerificationState.PENDING

    def test_one_decision_counts(self, charlie: User) -> None:
        claim, staff = make_claim(charlie), make_staff()
        decide(claim, staff, confirm=False, reason="No")
        with pytest.raises(NoLongerPossible, match="the claim is refused already"):
            decide(claim, staff)
        assert not AuditEvent.objects.filter(action="company.verified").exists()

    def test_nobody_else_and_nobody_their_own(self, globex: Company, charlie: User) -> None:
        claim = make_claim(charlie)
        for user in (make_security_administrator(globex), make_staff(is_active=False)):
            with pytest.raises(NotAllowed, match="Only the site’s staff"):
                decide(claim, user)
        User.objects.filter(pk=charlie.pk).update(is_staff=True)
        with pytest.raises(NotAllowed, match="a claim of their own"):
            decide(claim, charlie)

    def test_a_cid_that_was_given_away_meanwhile(self, charlie: User) -> None:
        claim = make_claim(charlie)
        make_company(name="Initech", cid="7654321")
        with pytest.raises(CidRefused, match="Initech has the CID 7654321"):
            decide(claim, make_staff())
        claim.refresh_from_db()
        assert claim.state == VerificationState.PENDING

    def test_a_company_that_was_given_a_cid_meanwhile(self, globex: Company, charlie: User) -> None:
        claim = make_claim(charlie)
        Company.objects.filter(pk=globex.pk).update(cid="999999")
        with pytest.raises(CidRefused, match="Globex Bank has the CID 999999 by now"):
            decide(claim, make_staff())


class TestThePages:
    def test_a_claim_from_the_form_to_the_verified_company(
        self, globex: Company, charlie: User, kim: User, sign_in: SignIn
    ) -> None:
        as_charlie, as_kim = sign_in(charlie), sign_in(kim)
        assert "Verify your company details" in text_of(as_charlie.get("/connect/company/"))
        answer = as_charlie.post(PAGE, {"cid": "7654321"}, follow=True)
        assert answer.redirect_chain == [("/connect/company/", 302)]
        assert "The site’s staff check the CID 7654321." in text_of(answer)
        assert "Waiting for staff" in text_of(answer)
        claim = CompanyVerification.objects.get()
        CompanyVerification.objects.update(requested_at=timezone.now() - timedelta(hours=5))
        assert "5 hours" in text_of(as_kim.get(QUEUE))
        answer = as_kim.post(f"{QUEUE}{claim.pk}/", {"decision": "yes"}, follow=True)
        assert "Globex Bank is verified." in text_of(answer)
        assert "No company here" in text_of(answer)
        assert "Confirmed" in text_of(as_kim.get(f"{QUEUE}?show=decided"))
        assert "Kim Adeyemi" in text_of(as_kim.get(f"{QUEUE}{claim.pk}/"))
        text = text_of(as_charlie.get("/connect/company/"))
        assert "7654321 verified on" in text
        assert "Verify your company details" not in text

    def test_a_refused_claim_shows_the_reason(self, charlie: User, kim: User, sign_in: SignIn) -> None:
        claim, as_kim = make_claim(charlie), sign_in(kim)
        answer = as_kim.post(f"{QUEUE}{claim.pk}/", {"decision": "no"})
        assert "Give a reason" in text_of(answer)
        as_kim.post(f"{QUEUE}{claim.pk}/", {"decision": "no", "reason": "No such number"})
        text = text_of(sign_in(charlie).get("/connect/company/"))
        assert "The CID 7654321 was not confirmed. Reason: No such number" in text
        assert "Verify your company details" in text
        again = text_of(as_kim.post(f"{QUEUE}{claim.pk}/", {"decision": "yes"}))
        assert "the claim is refused already" in again

    def test_a_known_cid_needs_no_typing(self, sign_in: SignIn) -> None:
        company = make_company(cid="245901", verified_at=None)
        client = sign_in(make_user(company=company))
        assert "so it is verified at once" in text_of(client.get(PAGE))
        assert "is verified with the CID 245901." in text_of(client.post(PAGE, follow=True))
        assert "already" in text_of(client.post(PAGE, follow=True))
        assert AuditEvent.objects.filter(action="company.verified").count() == 1

    def test_the_cid_of_another_company(self, charlie: User, sign_in: SignIn) -> None:
        make_company(name="Acme Payments Ltd", cid="123456")
        answer = sign_in(charlie).post(PAGE, {"cid": "123456"})
        assert "123456 cannot be the CID of Globex Bank." in text_of(answer)
        assert "Acme" not in answer.content.decode()
        assert not CompanyVerification.objects.exists()

    def test_the_queue_is_for_staff_alone(self, charlie: User, kim: User, sign_in: SignIn) -> None:
        claim = make_claim(charlie)
        admin = make_security_administrator(claim.company)
        for user in (charlie, admin, make_user()):
            client = sign_in(user)
            assert client.get(QUEUE).status_code == 403
            assert client.get(f"{QUEUE}{claim.pk}/").status_code == 403
            assert client.post(f"{QUEUE}{claim.pk}/", {"decision": "yes"}).status_code == 403
        assert sign_in(kim).get(f"{QUEUE}{uuid.uuid4()}/").status_code == 404
        claim.refresh_from_db()
        assert claim.state == VerificationState.PENDING

    def test_get_changes_nothing_and_a_token_is_needed(self, charlie: User) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(charlie)
        client.get(PAGE, {"cid": "7654321"})
        assert client.post(PAGE, {"cid": "7654321"}).status_code == 403
        assert not CompanyVerification.objects.exists()
