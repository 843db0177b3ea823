"""Adding a certificate: all or nothing, once, and one live credential for a subject."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority import issuance
from certauthority.errors import RequestRefused
from certauthority.models import Authority, Certificate, PublicKey, RevocationReason
from certauthority.records import facts_of
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.verdicts import broken
from portal import enrolment, revocation
from portal.enrolment import NewCredential, add_from_csr
from portal.errors import AliasTaken, NotAllowed
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.projects import delete_project
from tests.factories import make_company, make_credential, make_csr, make_project, make_user, subject_for

ALICE = Actor("alice@acme.example", "192.0.2.7")


@pytest.fixture
def project(authorities: dict[str, Authority]) -> Project:
    return make_project()


def new(project: Project, **fields: object) -> NewCredential:
    values: dict[str, object] = {
        "project": project,
        "environment": Environment.SANDBOX,
        "alias": "payouts",
        "method": CredentialMethod.PASTED_CSR,
        "submission": uuid.uuid4(),
    }
    return NewCredential(**{**values, **fields})  # type: ignore[arg-type]  # fields vary by test


def add(new_credential: NewCredential, csr: bytes) -> Credential:
    return add_from_csr(new_credential, csr, actor=ALICE, now=timezone.now())


def refused_rules(error: pytest.ExceptionInfo[RequestRefused]) -> list[str]:
    return [verdict.id for verdict in broken(error.value.verdicts)]


@pytest.mark.django_db
class TestAdding:
    def test_it_stores_certificate_credential_and_event(self, project: Project) -> None:
        credential = add(new(project), make_csr(project, unique="1790000000"))
        assert credential.certificate.common_name.startswith("1790000000-Client-MTF-")
        assert credential.created_by == "alice@acme.example"
        event = AuditEvent.objects.get(action="credential.added")
        assert (event.actor, event.address, event.object_label) == ("alice@acme.example", "192.0.2.7", "payouts")
        assert event.after["serial"] == credential.certificate.serial
        assert event.project == str(project.pk)

    def test_production_asks_for_another_name(self, project: Project) -> None:
        with pytest.raises(RequestRefused) as error:
            add(new(project, environment=Environment.PRODUCTION), make_csr(project))
        assert refused_rules(error) == ["dn.cn-pattern"]

    def test_a_company_without_a_verified_cid_has_zeros(self, authorities: dict[str, Authority]) -> None:
        project = make_project(admin=make_user(company=make_company(verified_at=None)))
        assert add(new(project), make_csr(project)).certificate.common_name.endswith("-Client-MTF-000000")

    def test_every_broken_rule_is_told_at_once(self, project: Project) -> None:
        csr = build_request([("O", "Somebody Else"), ("L", "London"), ("CN", "example.com/mtls")], new_private_key())
        with pytest.raises(RequestRefused) as error:
            add(new(project), csr)
        assert {"dn.organisation", "dn.organisational-unit", "dn.cn-pattern", "dn.other-attributes"} <= set(
            refused_rules(error)
        )
        assert Credential.objects.count() == 0

    def test_the_same_subject_is_a_duplicate_on_any_project(self, project: Project) -> None:
        add(new(project), make_csr(project, unique="1"))
        with pytest.raises(RequestRefused) as error:
            add(new(project, alias="other"), make_csr(project, unique="1"))
        assert refused_rules(error) == ["dn.duplicate"]

    def test_case_and_order_of_the_attributes_make_no_new_subject(self, project: Project) -> None:
        add(new(project), make_csr(project, unique="a1"))
        swapped = [
            (label, value.upper() if label in ("O", "OU") else value)
            for label, value in reversed(subject_for(project, unique="a1"))
        ]
        outcome = enrolment.judge_csr(
            build_request(swapped, new_private_key()),
            project=project,
            environment=Environment.SANDBOX,
            now=timezone.now(),
        ).outcome
        assert "dn.duplicate" in [verdict.id for verdict in broken(outcome.verdicts)]
        assert outcome.twin is not None

    def test_an_expired_certificate_still_holds_its_name(self, project: Project) -> None:
        past = timezone.now() - timedelta(days=420)
        make_credential(project, csr=make_csr(project, unique="1"), now=past)
        with pytest.raises(RequestRefused) as error:
            add(new(project), make_csr(project, unique="1"))
        assert "holds its name until it is revoked" in broken(error.value.verdicts)[0].found

    def test_a_revoked_certificate_frees_its_name(self, project: Project) -> None:
        old = make_credential(project, csr=make_csr(project, unique="1"))
        revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=ALICE, now=timezone.now())
        assert add(new(project), make_csr(project, unique="1")).ended_at is None

    def test_a_taken_alias_is_told_whatever_its_case(self, project: Project) -> None:
        make_credential(project, alias="Payouts")
        with pytest.raises(AliasTaken, match="Choose another alias"):
            add(new(project, alias="pAYOUTS"), make_csr(project))
        form = new(project, alias="Payouts", environment=Environment.PRODUCTION)
        assert add(form, make_csr(project, Environment.PRODUCTION)).alias == "Payouts"

    def test_the_same_submission_issues_once(self, project: Project) -> None:
        form, csr = new(project), make_csr(project)
        assert add(form, csr) == add(form, csr)
        assert Certificate.objects.filter(authority__name="developers", ocsp_responder=None).count() == 1

    def test_a_deleted_project_gets_nothing(self, project: Project) -> None:
        delete_project(project, actor=ALICE, now=timezone.now())
        with pytest.raises(NotAllowed, match="deleted"):
            add(new(project), make_csr(project))

    def test_a_predecessor_that_ended_is_told(self, project: Project) -> None:
        old = make_credential(project)
        revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=ALICE, now=timezone.now())
        with pytest.raises(NotAllowed, match="has ended meanwhile"):
            add(new(project, predecessor=old), make_csr(project))

    def test_a_repeat_is_answered_although_the_predecessor_ends_as_it_is_sent(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The first of two equal requests is acted on after the second has looked for it."""
        old = make_credential(project)
        form, csr = new(project, predecessor=old), make_csr(project)
        judged = enrolment.judge_csr(csr, project=project, environment=Environment.SANDBOX, now=timezone.now())
        look_up, first = enrolment._made_before, []  # the moment between two requests

        def be_overtaken(wanted: NewCredential) -> Credential | None:
            monkeypatch.setattr(enrolment, "_made_before", look_up)
            first.append(add(form, csr))
            revocation.end(old, reason=RevocationReason.SUPERSEDED, actor=ALICE, now=timezone.now())
            return None

        monkeypatch.setattr(enrolment, "judge_csr", lambda *_, **__: judged)
        monkeypatch.setattr(enrolment, "_made_before", be_overtaken)
        assert add(form, csr) == first[0]

    def test_a_crash_after_signing_leaves_nothing(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(*arguments: object, **named: object) -> None:
            raise DatabaseError("the connection went away")

        monkeypatch.setattr(enrolment, "record", crash)
        with pytest.raises(DatabaseError):
            add(new(project), make_csr(project))
        assert Credential.objects.count() == 0
        assert not Certificate.objects.filter(authority__name="developers", ocsp_responder=None).exists()
        assert not PublicKey.objects.filter(holder=str(project.company_id)).exists()

    def test_a_serial_that_was_given_before_is_drawn_again(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = int(make_credential(project).certificate.serial, 16)
        drawn = iter([taken, taken, 4711])
        monkeypatch.setattr(issuance, "new_serial", lambda: next(drawn))
        assert add(new(project), make_csr(project)).certificate.serial == format(4711, "x")

    def test_a_random_source_that_repeats_itself_stops_issuing(
        self, project: Project, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken = int(make_credential(project).certificate.serial, 16)
        monkeypatch.setattr(issuance, "new_serial", lambda: taken)
        with pytest.raises(RuntimeError, match="random source"):
            add(new(project), make_csr(project))

    def test_the_issued_name_is_in_our_order(self, project: Project) -> None:
        swapped = list(reversed(subject_for(project, unique="7")))
        credential = add(new(project), build_request(swapped, new_private_key()))
        labels = [rdn[0].label for rdn in facts_of(credential.certificate).subject.rdns]
        assert labels == ["C", "O", "OU", "CN"]


@pytest.mark.postgresql
class TestAtTheSameMoment:
    """Threads with connections of their own, so that the database's constraints decide."""

    ROUNDS = 10
    RACERS = 4

    def race(self, attempts: list[tuple[NewCredential, bytes]]) -> list[str]:
        barrier, outcomes = threading.Barrier(len(attempts)), []

        def attempt(form: NewCredential, csr: bytes) -> None:
            try:
                barrier.wait(10)
                add(form, csr)
                outcomes.append("added")
            except RequestRefused as error:
                outcomes.append(broken(error.verdicts)[0].id)
            except AliasTaken:
                outcomes.append("alias")
            finally:
                connection.close()

        threads = [threading.Thread(target=attempt, args=attempt_) for attempt_ in attempts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return sorted(outcomes)

    def test_one_subject_is_taken_once(self, transactional_db: None, authorities: dict[str, Authority]) -> None:
        projects = [make_project() for _ in range(1)] * self.RACERS
        for number in range(self.ROUNDS):
            attempts = [
                (new(project, alias=f"{number}-{racer}"), make_csr(project, unique=f"r{number}"))
                for racer, project in enumerate(projects)
            ]
            assert self.race(attempts) == ["added", *["dn.duplicate"] * (self.RACERS - 1)]
        assert Credential.objects.count() == self.ROUNDS

    def test_one_alias_is_taken_once(self, transactional_db: None, authorities: dict[str, Authority]) -> None:
        project = make_project()
        for number in range(self.ROUNDS):
            attempts = [
                (new(project, alias=f"alias-{number}"), make_csr(project, unique=f"u{number}-{racer}"))
                for racer in range(self.RACERS)
            ]
            assert self.race(attempts) == ["added", *["alias"] * (self.RACERS - 1)]

    def test_one_form_sent_twice_acts_once(self, transactional_db: None, authorities: dict[str, Authority]) -> None:
        project = make_project()
        for number in range(self.ROUNDS):
            form, csr = new(project, alias=f"alias-{number}"), make_csr(project, unique=f"s{number}")
            assert self.race([(form, csr)] * self.RACERS) == ["added"] * self.RACERS
        assert Credential.objects.count() == self.ROUNDS

    def test_one_key_goes_to_one_company(self, transactional_db: None, authorities: dict[str, Authority]) -> None:
        projects = [make_project() for _ in range(self.RACERS)]
        for number in range(self.ROUNDS):
            key = new_private_key()
            attempts = [
                (new(project, alias=f"key-{number}"), make_csr(project, unique=f"k{number}", key=key))
                for project in projects
            ]
            assert self.race(attempts) == ["added", *["key.holder"] * (self.RACERS - 1)]


@pytest.mark.django_db
def test_the_database_alone_refuses_a_second_live_subject(project: Project) -> None:
    first, second = make_credential(project), make_credential(project)
    with pytest.raises(DatabaseError), transaction.atomic():
        Credential.objects.filter(pk=second.pk).update(subject_digest=first.subject_digest)
