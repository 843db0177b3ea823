from __future__ import annotations

import threading
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority
from certauthority.x509.attribute_rules import AttributeKind, AttributeRule
from certauthority.x509.keys import KEY_TYPES
from connect.models import Company
from kmp.applications import FIRST_APPLICATIONS, change_application, create_applications
from kmp.dn_requirements import change_requirement, requirement_of, rules_of, sample_rules_of
from kmp.entries import add_entry
from kmp.errors import NameTaken, RequirementImpossible
from kmp.models import Application, DnAttribute, DnRequirement, Environment, InventoryEntry, Review
from tests.factories import make_company
from tests.kmp.factories import application_of, make_entry

pytestmark = pytest.mark.django_db

STAFF = Actor("keymanagement@rehearsal.example")
K = AttributeKind
CN = AttributeRule("CN", K.PATTERN, "<unique>-Client-<environment>-<cid>", False, 64)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def xbs(applications: dict[str, Application], environment: str = "mtf") -> DnRequirement:
    requirement = requirement_of(applications["xbs-api-mtls"], environment)
    assert requirement is not None
    return requirement


def test_the_first_applications_have_a_requirement_in_each_environment(applications: dict[str, Application]) -> None:
    assert len(applications) == 5
    assert DnRequirement.objects.count() == 10
    assert [code for code, application in applications.items() if application.review == Review.MANUAL] == [
        "a2a-commerce-client"
    ]


def test_every_company_can_make_a_subject_for_every_application(applications: dict[str, Application]) -> None:
    companies = [make_company(), make_company(country="", cid=None, verified_at=None), make_company(name="é" * 64)]
    for company in companies:
        for requirement in DnRequirement.objects.all():
            subject = dict(rules_of(requirement, company).example_subject("1700000000"))
            assert subject["O"] == company.name
            assert subject.get("C", "") == company.country
            assert max(map(len, subject.values())) <= 64


def test_the_common_name_of_cross_border_services_is_the_one_that_was_seen(
    applications: dict[str, Application],
) -> None:
    company = make_company(name="Acme Payments Ltd", country="IE")
    assert rules_of(xbs(applications), company).example_subject("1") == (
        ("C", "IE"),
        ("O", "Acme Payments Ltd"),
        ("OU", "Cross-Border Services"),
        ("CN", "MTF XBS"),
    )
    assert rules_of(xbs(applications, "production"), company).example_common_name("1") == "PROD XBS"


def test_the_client_of_the_developers_portal_follows_the_portals_pattern(
    applications: dict[str, Application],
) -> None:
    requirement = requirement_of(applications["developers-portal-client"], Environment.PRODUCTION)
    assert requirement
    verified = rules_of(requirement, make_company(cid="654321"))
    unverified = rules_of(requirement, make_company(cid="654322", verified_at=None))
    assert verified.example_common_name("1790000000") == "1790000000-Client-PROD-654321"
    assert unverified.example_common_name("1790000000") == "1790000000-Client-PROD-000000"


def test_it_makes_only_what_is_missing_and_leaves_what_staff_changed(applications: dict[str, Application]) -> None:
    Application.objects.filter(code="xbs-api-mtls").update(name="XBS", is_open=False)
    DnAttribute.objects.filter(requirement__application__code="xbs-api-mtls", label="OU").delete()
    applications["a2a-commerce-client"].delete()
    created = create_applications()
    assert [application.code for application in created] == ["a2a-commerce-client"]
    assert create_applications() == []
    kept = Application.objects.get(code="xbs-api-mtls")
    assert (kept.name, kept.is_open) == ("XBS", False)
    assert not DnAttribute.objects.filter(requirement__application=kept, label="OU").exists()
    assert DnRequirement.objects.count() == 10


def test_the_command_says_what_it_created() -> None:
    out = StringIO()
    call_command("create_applications", stdout=out)
    assert out.getvalue().count("Created ") == len(FIRST_APPLICATIONS)
    call_command("create_applications", stdout=out)
    assert out.getvalue().count("Created ") == len(FIRST_APPLICATIONS)


def test_there_is_no_requirement_for_what_does_not_exist(applications: dict[str, Application]) -> None:
    application = applications["xbs-api-mtls"]
    assert requirement_of(application, "nowhere") is None
    assert requirement_of(application, "mtf", "server") is None


def test_sample_values_stand_where_there_is_no_company(applications: dict[str, Application]) -> None:
    assert dict(sample_rules_of(xbs(applications)).example_subject("1"))["O"] == "Example Company Ltd"
    assert not Company.objects.filter(name="Example Company Ltd").exists()


def test_rules_are_changed_with_an_event_that_holds_before_and_after(
    applications: dict[str, Application], now: datetime
) -> None:
    requirement = xbs(applications)
    locality = AttributeRule("L", K.FIXED, "Dublin", True, 128)
    forbidden = AttributeRule("ST", K.FORBIDDEN, "", False, 128)
    assert change_requirement(
        requirement, attributes=[CN, locality, forbidden], key_types=["EC P-384"], actor=STAFF, now=now
    )
    changed = xbs(applications)
    assert [row.label for row in changed.attributes.all()] == ["CN", "L"]
    assert changed.key_types == ["EC P-384"]
    event = AuditEvent.objects.get(action="dn-requirement.changed")
    assert event.object_label == "Cross-Border Services API-MTLS in MTF"
    assert event.before["CN"] == "pattern <environment> XBS, at most 64"
    assert event.after["CN"] == "pattern <unique>-Client-<environment>-<cid>, at most 64"
    assert (event.before["L"], event.after["L"]) == (None, "fixed Dublin, optional, at most 128")
    assert (event.before["O"], event.after["O"]) == ("company name, at most 64", None)
    assert event.after["key types"] == "EC P-384"


def test_the_same_rules_again_change_nothing(applications: dict[str, Application], now: datetime) -> None:
    requirement = xbs(applications)
    rules = [
        AttributeRule(r.label, K(r.kind), r.value, r.is_optional, r.max_length) for r in requirement.attributes.all()
    ]
    assert not change_requirement(requirement, attributes=rules, key_types=KEY_TYPES, actor=STAFF, now=now)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("rules", "key_types", "sentence"),
    [
        ([], ["EC P-256"], "CN has one in any case"),
        ([CN, CN], ["EC P-256"], "Each attribute has one rule"),
        ([CN], [], "at least one type of key"),
        ([CN], ["DSA 1024"], "at least one type of key"),
        ([AttributeRule("CN", K.FREE, "www.example.org", False, 64)], ["EC P-256"], "The common name is not a URL"),
    ],
)
def test_rules_that_nobody_can_meet_are_not_kept(
    applications: dict[str, Application],
    now: datetime,
    rules: list[AttributeRule],
    key_types: list[str],
    sentence: str,
) -> None:
    requirement = xbs(applications)
    with pytest.raises(RequirementImpossible, match=sentence):
        change_requirement(requirement, attributes=rules, key_types=key_types, actor=STAFF, now=now)
    assert xbs(applications).attributes.count() == 4
    assert not AuditEvent.objects.exists()


def change(application: Application, now: datetime, **changes: Any) -> bool:
    """Change some of what staff decide about an application, and leave the rest."""
    kept: dict[str, Any] = {
        "name": application.name,
        "description": application.description,
        "review": Review(application.review),
        "is_open": application.is_open,
    }
    return change_application(application, **{**kept, **changes}, actor=STAFF, now=now)


def test_an_application_is_closed_and_reviewed_by_hand(applications: dict[str, Application], now: datetime) -> None:
    application = applications["xbs-api-mtls"]
    assert change(application, now, review=Review.MANUAL, is_open=False)
    application.refresh_from_db()
    assert (application.review, application.is_open) == (Review.MANUAL, False)
    event = AuditEvent.objects.get(action="application.changed")
    assert event.before == {"review": "automatic", "is open": True}
    assert event.after == {"review": "manual", "is open": False}
    assert not change(application, now)


def test_a_name_that_another_application_has_is_refused(applications: dict[str, Application], now: datetime) -> None:
    application = applications["xbs-api-mtls"]
    with pytest.raises(NameTaken, match="Another application is called A2A Commerce client"):
        change(application, now, name="A2A Commerce client")
    application.refresh_from_db()
    assert application.name == "Cross-Border Services API-MTLS"
    assert not AuditEvent.objects.exists()


class TestNewNames:
    """The inventory repeats the name of its application. Whoever filters by an application must miss no certificate."""

    def renamed(self, application: Application, now: datetime) -> None:
        change_application(
            application,
            name="Wholly New Name",
            description=application.description,
            review=Review(application.review),
            is_open=application.is_open,
            actor=STAFF,
            now=now,
        )

    def test_a_certificate_that_is_signed_with_the_application_as_it_was_read_before_gets_the_new_name(
        self, authorities: dict[str, Authority], now: datetime
    ) -> None:
        before = application_of("xbs-api-mtls")
        entry = make_entry(make_company(), "xbs-api-mtls")
        self.renamed(before, now)
        InventoryEntry.objects.all().delete()
        with transaction.atomic():
            added = add_entry(
                company=entry.company,
                application=before,
                environment=entry.environment,
                profile=entry.profile,
                certificate=entry.certificate,
                now=now,
            )
        assert before.name != added.application_name == "Wholly New Name"

    @pytest.mark.postgresql
    def test_a_certificate_that_comes_in_while_the_name_changes_has_the_new_name(
        self, transactional_db: None, authorities: dict[str, Authority], now: datetime
    ) -> None:
        application = application_of("xbs-api-mtls")
        company = make_company()
        was_inserted = threading.Event()

        def rename() -> None:
            try:
                was_inserted.wait(10)
                self.renamed(application, now)
            finally:
                connection.close()

        thread = threading.Thread(target=rename)
        thread.start()
        with transaction.atomic():
            make_entry(company, "xbs-api-mtls")
            was_inserted.set()
            # The other one waits here; without a lock it would be done long before the commit.
            thread.join(1)
            assert thread.is_alive()
        thread.join(30)
        assert InventoryEntry.objects.get(company=company).application_name == "Wholly New Name"
