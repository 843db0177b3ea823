"""Endings that a project's admins did not bring about: a certificate revoked in KMP, a reported key."""

from __future__ import annotations

import subprocess
import time
import uuid
from collections.abc import Callable

import pytest
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, Certificate, RevocationReason
from certauthority.x509.export import pem
from certauthority.x509.requests import new_private_key
from connect.models import Channel, DemoMail, Notice, NoticeState, User
from connect.templatetags.look import colon_hex
from kmp import entries
from kmp.models import InventoryEntry
from portal import revocation
from portal.announcements import tell_credential_ended
from portal.enrolment import NewCredential, add_uploaded
from portal.models import Credential, CredentialMethod, EndReason, Environment, Project, Role
from portal.projects import delete_project
from tests.factories import make_credential, make_csr, make_member, make_project
from tests.kmp.factories import make_entry

OLGA = Actor("olga@acme.example", "192.0.2.7")
ALICE = Actor("alice@acme.example")
KIND = "portal.credential-ended"


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def upload(entry: InventoryEntry, project: Project, alias: str = "from-kmp") -> Credential:
    """The certificate of an entry on a project, as an admin puts it there."""
    new = NewCredential(
        project=project,
        environment=Environment.PRODUCTION,
        alias=alias,
        method=CredentialMethod.UPLOADED_CERTIFICATE,
        submission=uuid.uuid4(),
    )
    return add_uploaded(new, pem(bytes(entry.certificate.der)).encode(), actor=ALICE, now=timezone.now())


def revoke_in_kmp(entry: InventoryEntry, reason: RevocationReason = RevocationReason.SUPERSEDED) -> bool:
    found = InventoryEntry.objects.select_related("certificate").get(pk=entry.pk)
    return entries.revoke(found, reason=reason, actor=OLGA, now=timezone.now())


def told_of(credential: Credential, channel: Channel = Channel.MAIL) -> list[str]:
    rows = Notice.objects.filter(event=f"{KIND}:{credential.pk}", channel=channel)
    return sorted(rows.values_list("address", flat=True))


def end(credential: Credential, reason: RevocationReason) -> None:
    revocation.end(credential, reason=reason, actor=ALICE, now=timezone.now())


def test_what_kmp_revokes_ends_on_the_project_and_its_admins_are_told(project: Project, bob: User) -> None:
    make_member(project, Role.ADMIN, email="eve@acme.example")
    make_member(project, Role.ADMIN, email="gone@acme.example", is_active=False)
    entry = make_entry(project.company)
    credential = upload(entry, project)
    assert revoke_in_kmp(entry)
    credential.refresh_from_db()
    assert credential.end_reason == EndReason.REVOKED
    assert told_of(credential) == told_of(credential, Channel.BELL) == ["alice@acme.example", "eve@acme.example"]
    row = Notice.objects.filter(kind=KIND, channel=Channel.MAIL)[0]
    assert row.subject == "from-kmp has ended: Checkout API, Production"
    assert row.link == f"/projects/{project.pk}/production/add/"
    assert row.company == project.company
    certificate = credential.certificate
    facts = (
        "from-kmp",
        "Checkout API",
        "Production",
        certificate.common_name,
        str(colon_hex(certificate.serial)),
        str(colon_hex(certificate.fingerprint)),
    )
    for text in (row.text, row.html):
        assert [fact for fact in facts if fact not in text] == []
        assert "KMP CA has revoked it, with the reason" in text
        assert "with a new key" not in text
        assert row.link in text


def test_a_certificate_that_is_on_no_project_tells_nobody(project: Project) -> None:
    revoke_in_kmp(make_entry(project.company))
    assert not Notice.objects.filter(kind=KIND).exists()


def test_revoking_twice_tells_once(project: Project) -> None:
    entry = make_entry(project.company)
    credential = upload(entry, project)
    assert revoke_in_kmp(entry)
    assert not revoke_in_kmp(entry)
    assert Notice.objects.filter(event=f"{KIND}:{credential.pk}").count() == 2


def test_a_compromised_key_of_kmp_ends_every_certificate_with_it_and_each_is_told_once(
    project: Project, alice: User
) -> None:
    key = new_private_key()
    entry = make_entry(project.company, key=key)
    uploaded = upload(entry, project)
    same_key = make_credential(project, alias="same-key", csr=make_csr(project, key=key))
    elsewhere = make_project(admin=make_member(project, Role.READ_ONLY, email="dora@acme.example"))
    on_another_project = make_credential(elsewhere, alias="elsewhere", csr=make_csr(elsewhere, key=key))
    other_key = make_credential(project, alias="other-key")
    revoke_in_kmp(entry, RevocationReason.KEY_COMPROMISE)
    assert told_of(uploaded) == told_of(same_key) == [alice.email]
    assert told_of(on_another_project) == ["dora@acme.example"]
    assert told_of(other_key) == []
    assert Notice.objects.filter(kind=KIND, channel=Channel.MAIL).count() == 3
    assert not Certificate.objects.filter(credentials=other_key, revoked_at__isnull=False).exists()
    for row in Notice.objects.filter(kind=KIND):
        assert "with a new key" in row.text
    assert "Key compromise" in Notice.objects.filter(event=f"{KIND}:{uploaded.pk}")[0].text
    assert "its private key was reported as compromised" in Notice.objects.filter(event=f"{KIND}:{same_key.pk}")[0].text


def test_who_revokes_on_the_project_is_told_only_of_what_ends_with_it(project: Project, alice: User) -> None:
    key = new_private_key()
    first = make_credential(project, alias="first", csr=make_csr(project, key=key))
    second = make_credential(project, alias="second", csr=make_csr(project, key=key))
    end(first, RevocationReason.KEY_COMPROMISE)
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.ended_at is not None
    assert second.ended_at is not None
    assert told_of(first) == []
    assert told_of(second) == [alice.email]


@pytest.mark.parametrize("reason", [RevocationReason.SUPERSEDED, RevocationReason.KEY_COMPROMISE])
def test_what_admins_end_themselves_is_no_news(project: Project, reason: RevocationReason) -> None:
    ours, uploaded = make_credential(project), upload(make_entry(project.company), project)
    end(ours, reason)
    end(uploaded, reason)
    assert not Notice.objects.filter(kind=KIND).exists()
    certificate = Certificate.objects.get(pk=ours.certificate_id)
    assert (certificate.revoked_at is not None, certificate.revocation_reason) == (True, reason)


def test_deleting_the_project_is_no_news(project: Project) -> None:
    ours, uploaded = make_credential(project), upload(make_entry(project.company), project)
    delete_project(project, actor=ALICE, now=timezone.now())
    assert not Notice.objects.filter(kind=KIND).exists()
    for credential in (ours, uploaded):
        credential.refresh_from_db()
        assert credential.ended_at is not None


def test_what_had_ended_before_is_not_told_again(project: Project) -> None:
    entry = make_entry(project.company)
    credential = upload(entry, project)
    end(credential, RevocationReason.SUPERSEDED)
    revoke_in_kmp(entry)
    assert told_of(credential) == []


def test_nothing_is_told_when_the_revocation_comes_to_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = make_entry(project.company)
    credential = upload(entry, project)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("kmp.entries.record", fail)
    with pytest.raises(OSError, match="disk"):
        revoke_in_kmp(entry)
    credential.refresh_from_db()
    assert credential.ended_at is None
    assert told_of(credential) == []


def test_names_from_a_certificate_add_no_lines_and_no_markup(project: Project) -> None:
    credential = upload(make_entry(project.company), project)
    credential.certificate.common_name = "<b>x</b>\r\n\r\nPay here: https://evil.example/\u202e"
    tell_credential_ended(credential, cause="<i>it</i> was so", new_key=False, now=timezone.now())
    row = Notice.objects.filter(kind=KIND, channel=Channel.MAIL)[0]
    assert "Common name: <b>x</b> Pay here: https://evil.example/\n" in row.text
    assert "\u202e" not in row.text
    assert "<b>x</b>" not in row.html
    assert "<i>it</i>" not in row.html


def wait_until(is_so: Callable[[], bool]) -> None:
    last_moment = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < last_moment, "the worker did not do its work"
        time.sleep(0.05)


def test_a_worker_brings_the_mail_after_the_commit(
    project: Project, celery_worker_process: subprocess.Popen[bytes]
) -> None:
    entry = make_entry(project.company)
    credential = upload(entry, project)
    revoke_in_kmp(entry)
    mails = Notice.objects.filter(event=f"{KIND}:{credential.pk}", channel=Channel.MAIL)
    wait_until(lambda: mails.filter(state=NoticeState.SENT).exists())
    delivered = DemoMail.objects.get(subject="from-kmp has ended: Checkout API, Production")
    assert delivered.address == "alice@acme.example"
    assert "Add a certificate that takes its place" in delivered.text
