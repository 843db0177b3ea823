"""The editor of applications and their DN requirements, for the site's staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from connect.models import User
from kmp.models import Application, DnRequirement, InventoryEntry, Review
from tests.factories import make_user
from tests.kmp.factories import make_entry, make_officer
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.x509.certificates_made import ec_key, private_pem

LIST = "/kmp/requirements/"
XBS = f"{LIST}xbs-api-mtls/"
MTF = f"{XBS}mtf/"


@pytest.fixture
def staff(applications: dict[str, Application]) -> User:
    return make_user(email="keymanagement@rehearsal.example", is_staff=True, company=None)


@pytest.fixture
def as_staff(staff: User) -> Client:
    return signed_in(staff)


def rules(**changes: Any) -> dict[str, Any]:
    """The form as it stands for Cross-Border Services in MTF, with these fields instead (``CN_value`` for CN-value)."""
    data: dict[str, Any] = {"key_types": ["RSA 2048", "RSA 3072", "RSA 4096", "EC P-256", "EC P-384"]}
    usual = {
        "C": ("company", "country", 2),
        "ST": ("forbidden", "", 128),
        "L": ("forbidden", "", 128),
        "O": ("company", "name", 64),
        "OU": ("fixed", "Cross-Border Services", 64),
        "CN": ("pattern", "<environment> XBS", 64),
    }
    for label, (kind, value, length) in usual.items():
        data |= {f"{label}-kind": kind, f"{label}-value": value, f"{label}-length": str(length)}
    return data | {name.replace("_", "-") if name != "key_types" else name: value for name, value in changes.items()}


def requirement() -> DnRequirement:
    return DnRequirement.objects.get(application__code="xbs-api-mtls", environment="mtf")


def stored() -> dict[str, tuple[str, str, bool, int]]:
    return {row.label: (row.kind, row.value, row.is_optional, row.max_length) for row in requirement().attributes.all()}


class TestTheList:
    def test_it_leads_to_every_application_and_environment(self, as_staff: Client) -> None:
        page = as_staff.get(LIST)
        text = text_of(page)
        assert "A2A Commerce client a2a-commerce-client By Key Management Open MTF" in text
        assert text.count("Automatic") == 4
        for address in (XBS, MTF, f"{XBS}production/"):
            assert f'href="{address}"' in page.content.decode()

    def test_there_may_be_none_yet(self, as_staff: Client) -> None:
        Application.objects.all().delete()
        assert "There is no application yet" in text_of(as_staff.get(LIST))


class TestTheRules:
    def test_the_form_shows_them_as_they_are(self, as_staff: Client) -> None:
        page = as_staff.get(MTF)
        form = page.context["form"]
        assert {name: form[name].value() for name in rules() if name != "key_types"} == {
            name: int(value) if name.endswith("-length") else value
            for name, value in rules().items()
            if name != "key_types"
        }
        assert "CN is “MTF XBS”." in text_of(page)
        assert "/CN=MTF XBS" in page.content.decode()

    def test_nothing_changes_when_it_is_sent_back_as_it_is(self, as_staff: Client) -> None:
        before = stored()
        answer = as_staff.post(MTF, rules(), follow=True)
        assert answer.redirect_chain == [(LIST, 302)]
        assert "Nothing was changed" in text_of(answer)
        assert stored() == before
        assert not AuditEvent.objects.exists()

    def test_they_are_changed_with_an_event(self, as_staff: Client) -> None:
        changed = rules(
            CN_value="<unique>-XBS-<environment>-<cid>",
            OU_kind="free",
            OU_value="Payouts",
            OU_optional="on",
            OU_length="40",
            C_kind="forbidden",
            C_value="",
            key_types=["EC P-384"],
        )
        answer = as_staff.post(MTF, changed, follow=True)
        assert "The requirement of Cross-Border Services API-MTLS in MTF was changed." in text_of(answer)
        assert stored() == {
            "O": ("company", "name", False, 64),
            "OU": ("free", "Payouts", True, 40),
            "CN": ("pattern", "<unique>-XBS-<environment>-<cid>", False, 64),
        }
        assert requirement().key_types == ["EC P-384"]
        event = AuditEvent.objects.get()
        assert (event.action, event.actor) == ("dn-requirement.changed", "keymanagement@rehearsal.example")
        assert event.before["OU"] == "fixed Cross-Border Services, at most 64"
        assert event.after["OU"] == "free Payouts, optional, at most 40"
        assert (event.before["C"], event.after["C"]) == ("company country, at most 2", None)
        assert "O" not in event.before
        other = DnRequirement.objects.get(application__code="xbs-api-mtls", environment="production")
        assert other.attributes.count() == 4

    def test_officers_read_the_new_rules_at_once(self, as_staff: Client) -> None:
        as_staff.post(MTF, rules(OU_value="Payouts abroad"))
        assert "OU is “Payouts abroad”." in text_of(signed_in(make_officer()).get("/kmp/support/"))

    def test_the_companys_value_is_understood_without_a_word(self, as_staff: Client) -> None:
        as_staff.post(MTF, rules(C_value="", O_value="", C_optional="on"))
        assert stored()["C"] == ("company", "country", True, 2)
        assert stored()["O"] == ("company", "name", False, 64)

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"CN_kind": "forbidden", "CN_value": ""}, "Every certificate has a common name"),
            ({"CN_optional": "on"}, "CN is neither optional nor forbidden"),
            ({"CN_value": "<Unique> XBS"}, "“<Unique>” is no placeholder. Use <unique>, <cid> and <environment>"),
            ({"CN_value": "{unique} XBS"}, "Beside <unique>, <cid> and <environment> it is made of"),
            ({"CN_value": "<unique> <unique>"}, "<unique> more than once"),
            ({"CN_value": f"<unique>{'x' * 50}<cid>"}, "a value can have 70 characters"),
            ({"CN_value": "x" * 121}, "at most 120 characters"),
            ({"CN_value": "www.<unique>"}, "not an address on the web"),
            ({"CN_kind": "free", "CN_value": "www.example.org"}, "No request could meet these rules"),
            ({"CN_value": ""}, "CN needs a pattern"),
            ({"CN_kind": "regex"}, "Choose a rule for CN."),
            ({"CN_length": "65"}, "The maximum length of CN is between 1 and 64"),
            ({"CN_length": "0"}, "The maximum length of CN is between 1 and 64"),
            ({"CN_length": "many"}, "The maximum length of CN is between 1 and 64"),
            ({"CN_length": ""}, "The maximum length of CN is between 1 and 64"),
            ({"CN_length": "9" * 5000}, "The maximum length of CN is between 1 and 64"),
            ({"C_length": "3"}, "The maximum length of C is 2"),
            ({"C_kind": "fixed", "C_value": "Ireland"}, "at most 2 are allowed"),
            ({"C_kind": "pattern", "C_value": "<cid>"}, "C is two letters and has no pattern"),
            ({"O_value": "country"}, "O is the company’s: the value says name or cid."),
            ({"O_length": "20"}, "has up to 64 characters. Allow as many."),
            ({"OU_value": "Team <cid>"}, "Choose a pattern."),
            ({"OU_value": " Team"}, "begins or ends with a space"),
            ({"OU_value": "Te\u200bam"}, "U+200B, which cannot be seen"),
            ({"OU_value": "Te\u202eam"}, "U+202E, which cannot be seen"),
            ({"OU_kind": "free", "OU_value": ""}, "OU is free: give an example"),
            ({"ST_value": "Leinster"}, "ST is forbidden, so it has no value."),
            ({"key_types": []}, "Allow at least one type of key."),
            ({"key_types": ["RSA 1024"]}, "RSA 1024"),
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_said_and_nothing_changes(
        self, as_staff: Client, changes: dict[str, Any], sentence: str
    ) -> None:
        before, data = stored(), rules(**changes)
        answer = as_staff.post(MTF, data)
        assert answer.status_code == 200
        assert sentence in text_of(answer)
        assert "Nothing was changed." in text_of(answer)
        assert stored() == before
        assert not AuditEvent.objects.exists()

    def test_every_wrong_attribute_is_told_at_once(self, as_staff: Client) -> None:
        text = text_of(as_staff.post(MTF, rules(CN_value="<x>", OU_value="", L_kind="free", L_value="")))
        for sentence in ("“<x>” is no placeholder", "OU is fixed: give the value", "L is free: give an example"):
            assert sentence in text

    def test_what_was_typed_stays_and_a_private_key_does_not(self, as_staff: Client) -> None:
        answer = as_staff.post(MTF, rules(OU_value="Payouts", CN_value="<x>"))
        assert 'value="Payouts"' in answer.content.decode()
        key = private_pem(ec_key(901)).decode()
        refused = as_staff.post(MTF, rules(OU_value=key))
        assert PRIVATE_KEY_MESSAGE.split(".")[0] in text_of(refused)
        assert key.splitlines()[1] not in refused.content.decode()

    def test_what_does_not_exist_is_not_found(self, as_staff: Client) -> None:
        for address in (f"{LIST}nothing/", f"{LIST}nothing/mtf/", f"{XBS}nowhere/"):
            assert as_staff.get(address).status_code == 404
            assert as_staff.post(address, rules()).status_code == 404


class TestTheApplication:
    def data(self, **changes: Any) -> dict[str, Any]:
        return {
            "name": "Cross-Border Services API-MTLS",
            "description": "For machines.",
            "review": "manual",
            "is_open": "on",
            **changes,
        }

    def test_it_is_reviewed_by_hand_and_closed(self, as_staff: Client) -> None:
        answer = as_staff.post(XBS, self.data(is_open=""), follow=True)
        assert answer.redirect_chain == [(LIST, 302)]
        changed = Application.objects.get(code="xbs-api-mtls")
        assert (changed.review, changed.is_open, changed.description) == (Review.MANUAL, False, "For machines.")
        event = AuditEvent.objects.get(action="application.changed")
        assert event.before["review"] == "automatic"
        assert event.after["is open"] is False

    @pytest.mark.usefixtures("authorities")
    def test_a_new_name_is_the_inventorys_name_too(self, as_staff: Client) -> None:
        entry = make_entry(code="xbs-api-mtls")
        other = make_entry(code="a2a-commerce-client")
        as_staff.post(XBS, self.data(name="Cross-Border Services"))
        names = dict(InventoryEntry.objects.values_list("pk", "application_name"))
        assert names == {entry.pk: "Cross-Border Services", other.pk: "A2A Commerce client"}

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"name": ""}, "This field is required."),
            ({"name": "A2A Commerce client"}, "Another application is called A2A Commerce client."),
            ({"name": "x" * 65}, "at most 64 characters"),
            ({"name": "a\u202eb"}, "U+202E"),
            ({"description": "a\u200bb"}, "U+200B"),
            ({"review": ""}, "Choose who reviews."),
            ({"review": "never"}, "Choose one of the two."),
        ],
        ids=str,
    )
    def test_what_makes_no_sense_is_said(self, as_staff: Client, changes: dict[str, Any], sentence: str) -> None:
        answer = as_staff.post(XBS, self.data(**changes))
        assert sentence in text_of(answer)
        assert Application.objects.get(code="xbs-api-mtls").review == Review.AUTOMATIC
        assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("address", [LIST, XBS, MTF])
def test_only_staff_may(address: str, applications: dict[str, Application], client: Client) -> None:
    officer = signed_in(make_officer())
    assert officer.get(address).status_code == 403
    assert officer.post(address, rules()).status_code == (403 if address != LIST else 405)
    assert client.get(address).status_code == 302
    assert stored()["OU"] == ("fixed", "Cross-Border Services", False, 64)


def test_a_post_without_its_token_is_refused(staff: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(staff)
    assert browser.post(MTF, rules(OU_value="Other")).status_code == 403
    assert stored()["OU"] == ("fixed", "Cross-Border Services", False, 64)
