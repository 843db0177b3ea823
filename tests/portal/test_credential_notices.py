"""Admins are told of each certificate that comes in, and of each that one of them ends. A worker tells of the first."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from kombu.exceptions import OperationalError

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.certificate_facts import in_words
from connect.models import Channel, DemoMail, Notice, NoticeState, User
from connect.templatetags.look import colon_hex
from portal import news, revocation, tasks
from portal.announcements import tell_credential_added
from portal.models import Credential, Environment, Project, Role
from portal.projects import delete_project
from tests.connect.factories import move_clock
from tests.factories import let_expire, make_credential, make_member
from tests.kmp.factories import make_entry
from tests.portal.test_credential_ended import upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("authorities")]
ALICE = Actor("alice@acme.example")
ADDED, REVOKED = "portal.credential-added", "portal.credential-revoked"


@pytest.fixture
def eve(project: Project) -> User:
    return make_member(project, Role.ADMIN, email="eve@acme.example")


def mails(kind: str, about: Credential) -> dict[str, Notice]:
    """The mails of one kind about one credential, by address."""
    found = Notice.objects.filter(kind=kind, channel=Channel.MAIL, event=f"{kind}:{about.pk}")
    return {notice.address: notice for notice in found}


def revoke(credential: Credential, reason: RevocationReason = RevocationReason.SUPERSEDED) -> bool:
    return revocation.revoke(credential, reason=reason, actor=ALICE, now=timezone.now())


def has_facts(notice: Notice, credential: Credential, *more: str) -> bool:
    """Whether text and HTML name the certificate in every way."""
    certificate = credential.certificate
    facts = (
        credential.alias,
        "Checkout API",
        "Production",
        certificate.common_name,
        str(colon_hex(certificate.serial)),
        str(colon_hex(certificate.fingerprint)),
        *more,
    )
    texts = (notice.text, notice.html.replace("<wbr>", "").replace("<strong>", "").replace("</strong>", ""))
    assert [fact for fact in facts for text in texts if fact not in text] == []
    return True


def test_a_new_certificate_is_told_to_the_admins_once(project: Project, bob: User, eve: User) -> None:
    credential = make_credential(project, Environment.PRODUCTION, alias="payouts-2026")
    assert not Notice.objects.filter(kind=ADDED).exists(), "issuing does not wait for it"
    assert news.tell() == 1
    assert news.tell() == 0
    found = mails(ADDED, credential)
    assert set(found) == {"alice@acme.example", "eve@acme.example"}
    notice = found["eve@acme.example"]
    assert notice.subject == "payouts-2026 was added: Checkout API, Production"
    assert has_facts(notice, credential, in_words(credential.certificate.not_after), "factory added the certificate")
    assert "replaces" not in notice.text
    assert notice.link == f"/projects/{project.pk}/production/{credential.pk}/"
    assert (notice.scope, notice.watched) == (str(project.pk), f"portal:{credential.pk}")
    assert (notice.created_at, notice.state) == (credential.created_at, NoticeState.DUE)
    assert Notice.objects.filter(kind=ADDED, channel=Channel.BELL).count() == 2


def test_what_a_new_certificate_replaces_is_told(project: Project) -> None:
    old = make_credential(project, Environment.PRODUCTION, alias="old")
    first = make_credential(project, Environment.PRODUCTION, alias="first", predecessor=old)
    second = make_credential(project, Environment.PRODUCTION, alias="second", predecessor=first)
    revoke(old)
    news.tell()
    assert "It replaces old, which has ended." in mails(ADDED, first)["alice@acme.example"].text
    assert "It replaces first, which stays live until it is revoked" in mails(ADDED, second)["alice@acme.example"].html


def test_what_has_expired_is_not_called_live(project: Project) -> None:
    old = make_credential(project, Environment.PRODUCTION, alias="old")
    move_clock(project.company, timedelta(days=500))
    new = make_credential(Project.objects.get(pk=project.pk), Environment.PRODUCTION, alias="new", predecessor=old)
    news.tell()
    told = mails(ADDED, new)["alice@acme.example"]
    for text in (told.text, told.html):
        assert "It replaces old, which has expired." in text
        assert "stays live" not in text
    last = make_credential(Project.objects.get(pk=project.pk), Environment.PRODUCTION, alias="last", predecessor=new)
    let_expire(last, in_days=499)
    revoke(Credential.objects.get(pk=new.pk))
    (ended,) = mails(REVOKED, new).values()
    assert "Nothing replaces it." in ended.text
    assert "is live" not in ended.text + ended.html


def test_news_of_an_upload_names_who_issued_it(project: Project) -> None:
    entry = make_entry(project.company)
    credential = upload(entry, project)
    news.tell()
    (notice,) = mails(ADDED, credential).values()
    assert entry.certificate.authority is not None
    assert f"Issuer: {entry.certificate.authority.label}\n" in notice.text
    assert "Upload mTLS certificate" in notice.text


def test_nobody_is_told_of_what_a_deleted_project_had(project: Project) -> None:
    make_credential(project)
    delete_project(project, actor=ALICE, now=timezone.now())
    assert news.tell() == 1
    assert not Notice.objects.filter(kind=ADDED).exists()
    assert news.tell() == 0


def test_nothing_is_told_where_telling_comes_to_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_credential(project), make_credential(project)

    def fail_at_the_second(credential: Credential) -> None:
        if credential == second:
            raise OSError("the disk is full")
        tell_credential_added(credential)

    with monkeypatch.context() as broken:
        broken.setattr(news, "tell_credential_added", fail_at_the_second)
        with pytest.raises(OSError, match="disk"):
            news.tell()
    assert not Notice.objects.filter(kind=ADDED).exists()
    assert news.tell() == 2
    assert len(mails(ADDED, first)) == len(mails(ADDED, second)) == 1


def test_pages_of_news_are_told_one_after_the_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "_PAGE", 2)
    credentials = [make_credential(project) for _ in range(5)]
    assert news.tell() == 5
    assert all(mails(ADDED, credential) for credential in credentials)


def test_issuing_costs_no_query_for_it(project: Project) -> None:
    def queries() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            make_credential(project)
        return [query["sql"] for query in captured.captured_queries]

    queries()
    assert [sql for sql in queries() if "connect_notice" in sql or "portal_membership" in sql] == []


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_tell_each_once(project: Project) -> None:
    credentials = [make_credential(project) for _ in range(6)]
    barrier, told = threading.Barrier(2), []

    def tell() -> None:
        try:
            barrier.wait(10)
            told.append(news.tell())
        finally:
            connection.close()

    threads = [threading.Thread(target=tell) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(told) == len(credentials)
    assert [len(mails(ADDED, credential)) for credential in credentials] == [1] * len(credentials)


def test_an_admin_who_revokes_tells_the_others(project: Project, bob: User, eve: User) -> None:
    credential = make_credential(project, Environment.PRODUCTION, alias="payouts-2026")
    assert revoke(credential, RevocationReason.KEY_COMPROMISE)
    assert not revoke(credential, RevocationReason.KEY_COMPROMISE)
    found = mails(REVOKED, credential)
    assert set(found) == {"alice@acme.example", "eve@acme.example"}
    notice = found["eve@acme.example"]
    assert notice.subject == "payouts-2026 was revoked: Checkout API, Production"
    said = "alice@acme.example has revoked the certificate payouts-2026"
    assert has_facts(
        notice, credential, said, "Key compromise", "Nothing replaces it. Add a certificate, with a new key"
    )
    assert notice.link == f"/projects/{project.pk}/production/add/"
    assert (notice.scope, notice.watched) == (str(project.pk), f"portal:{credential.pk}")
    assert not Notice.objects.filter(kind="portal.credential-ended").exists(), "one notice is enough"


def test_a_revoked_certificate_with_a_successor_leads_to_it(project: Project) -> None:
    old = make_credential(project, Environment.PRODUCTION, alias="old")
    new = make_credential(project, Environment.PRODUCTION, alias="new", predecessor=old)
    revoke(old)
    (notice,) = mails(REVOKED, old).values()
    assert "new, which replaces it, is live." in notice.text
    assert "Nothing replaces it" not in notice.html
    assert notice.link == f"/projects/{project.pk}/production/{new.pk}/"


def test_the_end_of_a_use_is_told_as_such(project: Project) -> None:
    credential = upload(make_entry(project.company), project)
    revoke(credential)
    (notice,) = mails(REVOKED, credential).values()
    assert notice.subject == f"{credential.alias} was taken out of use: Checkout API, Production"
    assert "has ended the use of the certificate" in notice.text
    assert "Use ended: " in notice.text


def test_a_company_whose_clock_is_ahead_is_told_at_both_times(project: Project) -> None:
    move_clock(project.company, timedelta(days=400))
    credential = make_credential(project)
    news.tell()
    (notice,) = mails(ADDED, credential).values()
    assert notice.company_at == credential.created_at + project.company.clock_ahead


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def test_a_worker_tells_of_what_was_added_and_brings_the_mail(
    project: Project, celery_worker_process: subprocess.Popen[bytes]
) -> None:
    make_credential(project, alias="payouts-2026")
    wait_until(lambda: DemoMail.objects.filter(subject="payouts-2026 was added: Checkout API, Sandbox").exists())


def test_the_sweep_finds_news_whose_message_was_lost(
    project: Project, celery_worker_process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: Any, **named: Any) -> None:
        raise OperationalError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr(tasks.tell_of_new_credentials, "apply_async", away)
        credential = make_credential(project)
    assert Credential.objects.get(pk=credential.pk).news_since is not None
    tasks.tell_of_new_credentials.delay()
    wait_until(lambda: bool(mails(ADDED, credential)))


@pytest.mark.django_db(transaction=True)
def test_many_certificates_in_a_second_are_one_message(project: Project, redis_client: redis.Redis) -> None:
    for _ in range(5):
        make_credential(project)
        news.gathering.begin()  # Issuing here may take longer than the second.
    assert redis_client.llen("celery") == 1
    news.gathering.end()
    make_credential(project)
    assert redis_client.llen("celery") == 2
