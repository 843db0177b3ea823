"""One of everything that an address of the site can name, and one person of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from audit.events import Actor
from certauthority import revocation_lists, server_certificates, trust
from certauthority.authorities import newest_authority
from certauthority.models import TrustedAuthority
from certauthority.models.authority import AuthorityPurpose
from connect.expiry.digest import token_of
from connect.expiry.snooze import snooze_url
from connect.expiry.sources import lifetime_of
from connect.models import (
    AccessRequest,
    Channel,
    Company,
    CompanyVerification,
    DemoMail,
    Notice,
    NoticeState,
    User,
    WebhookDelivery,
)
from connect.preferences import make_calendar_address
from kmp.applications import create_applications
from kmp.key_management import begin_review
from kmp.models import CertificateRequest, InventoryEntry
from portal.lifetimes import watched
from portal.models import Credential, CredentialMethod, Environment, ProductionAccessRequest, Project
from portal.production_access import request_production_access
from portal.projects import delete_project
from tests.connect.factories import (
    grant_access,
    make_access_request,
    make_claim,
    make_mail,
    make_staff,
    make_webhook_message,
)
from tests.factories import make_company, make_credential, make_member, make_project, make_user
from tests.kmp.factories import make_entry, make_officer
from tests.kmp.wizard import make_draft, submitted
from tests.portal.foreign_ca import ForeignCa


@dataclass(frozen=True, slots=True)
class WholeSite:
    """Alice owns ``project``, is Security Administrator and security officer, and has one to decide on.

    The reader and ``member`` may look; the stranger owns ``foreign`` at another company.
    The key of ``credential`` was made in a browser, and nobody has said yet that the keystore is saved. It replaces
    another one, which is live, too: a rotation is under way.
    """

    admin: User
    reader: User
    member: User
    stranger: User
    staff: User
    project: Project
    credential: Credential
    foreign: Project
    foreign_credential: Credential
    deleted: Project
    deleted_credential: Credential
    trusted_ca: TrustedAuthority
    notice: Notice
    mail: DemoMail
    granted: AccessRequest
    pending: AccessRequest
    claim: CompanyVerification
    production_request: ProductionAccessRequest
    entry: InventoryEntry
    foreign_entry: InventoryEntry
    draft: CertificateRequest
    submitted: CertificateRequest
    project_mail: Notice
    company_mail: Notice
    message: WebhookDelivery
    company_message: WebhookDelivery
    calendar_secret: str
    snooze_token: str

    @property
    def company(self) -> Company:
        return self.project.company

    def client(self, person: str, **options: Any) -> Client:
        """A browser of one person; ``anonymous`` is nobody."""
        client = Client(**options)
        if person != "anonymous":
            client.force_login(getattr(self, person))
        return client

    def parameters(self, **other: Any) -> dict[str, Any]:
        """A value for every name that stands in an address: objects of the admin's project, unless told otherwise."""
        return {
            "project_id": self.project.pk,
            "environment": Environment.SANDBOX,
            "credential_id": self.credential.pk,
            "user_id": self.member.pk,
            "company_id": self.company.pk,
            "trusted_ca_id": self.trusted_ca.pk,
            "notice_id": self.notice.pk,
            "mail_id": self.mail.pk,
            "project_notice_id": self.project_mail.pk,
            "company_notice_id": self.company_mail.pk,
            "webhook_id": self.message.webhook_id,
            "message_id": self.message.pk,
            "company_webhook_id": self.company_message.webhook_id,
            "company_message_id": self.company_message.pk,
            "calendar_secret": self.calendar_secret,
            "digest_token": token_of(self.admin),
            "application": "kmp",
            "item_id": self.granted.pk,
            "access_id": self.pending.pk,
            "claim_id": self.claim.pk,
            "production_request_id": self.production_request.pk,
            "reference": self.entry.reference,
            "number": self.draft.number,
            "factor_id": 1,
            "submitted_number": self.submitted.number,
            "format_name": "pem",
            "name": "developers",
            "shard": 1,
            "address": "developers",
            "application_code": "xbs-api-mtls",
            "kmp_environment": "mtf",
            "snooze_token": self.snooze_token,
            **other,
        }


def make_whole_site() -> WholeSite:
    """Everything, made by the use-cases; it needs the fixture ``authorities``."""
    now = timezone.now()
    server_certificates.certify_if_due(now=now)  # Without it /readyz says that the endpoint has none.
    revocation_lists.publish(newest_authority(AuthorityPurpose.DEVELOPERS), shard=1, now=now)
    create_applications()
    company = make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")
    admin = make_user(company=company, email="alice@acme.example", name="Alice Marlow")
    staff = make_staff(email="staff@site.example", name="Site Staff", is_superuser=True)
    stranger = make_user(email="charlie@globex.example", name="Charlie Okafor")
    project = make_project(admin=admin, name="Checkout API")
    foreign = make_project(admin=stranger, name="Foreign Payouts")
    deleted = make_project(admin=admin, name="Gone")
    deleted_credential = make_credential(deleted, alias="gone-one")
    delete_project(deleted, actor=Actor(admin.email), now=now)
    member = make_member(project, email="dora@acme.example", name="Dora Lind")
    granted = grant_access(admin, by=staff)
    # One person who sees all pages: nobody gets both any more, but who had both keeps them.
    admin.is_security_administrator = True
    admin.save(update_fields=["is_security_administrator"])
    old = make_credential(project, alias="payouts-before")
    credential = make_credential(project, alias="payouts", method=CredentialMethod.GENERATED_KEY, predecessor=old)
    return WholeSite(
        admin=admin,
        reader=make_member(project, email="bob@acme.example", name="Bob Tran"),
        member=member,
        stranger=stranger,
        staff=staff,
        project=project,
        credential=credential,
        foreign=foreign,
        foreign_credential=make_credential(foreign, alias="foreign-secret-alias"),
        deleted=deleted,
        deleted_credential=deleted_credential,
        trusted_ca=trust.add(ForeignCa().pem, note="", actor=Actor("staff@site.example"), now=now),
        notice=_notice_for(admin),
        mail=_mail_for(admin),
        granted=granted,
        pending=make_access_request(member),
        claim=make_claim(),
        production_request=request_production_access(foreign, by=stranger, actor=Actor(stranger.email), now=now),
        entry=make_entry(company),
        foreign_entry=make_entry(stranger.company),
        draft=make_draft(admin),
        submitted=_request_in_review(admin, staff),
        project_mail=make_mail(str(project.pk), NoticeState.FAILED, recipient=admin, error="SMTPDataError: 554 no"),
        company_mail=make_mail(str(company.pk), NoticeState.FAILED, recipient=admin, error="SMTPDataError: 554 no"),
        message=make_webhook_message(company, scope=str(project.pk)),
        company_message=make_webhook_message(company),
        calendar_secret=make_calendar_address(admin, actor=Actor(admin.email), now=now),
        snooze_token=_snooze_token(credential, admin),
    )


def _snooze_token(credential: Credential, admin: User) -> str:
    lifetime = lifetime_of(watched(credential))
    if lifetime is None:
        raise ValueError("only a live certificate can be snoozed")
    return snooze_url(lifetime, admin.email).rstrip("/").rpartition("/")[2]


def _request_in_review(officer: User, staff: User) -> CertificateRequest:
    """A request that Key Management has begun to look at. Its company has a second officer."""
    make_officer(officer.company, email="piet@acme.example", name="Piet Vos")
    request = submitted(make_draft(officer, "a2a-commerce-client"))
    return begin_review(request, by=staff, actor=Actor(staff.email), now=timezone.now())


def _notice_for(user: User) -> Notice:
    now = timezone.now()
    return Notice.objects.create(
        event="whole-site",
        kind="whole-site",
        channel=Channel.BELL,
        address=user.email,
        recipient=user,
        subject="Something happened",
        text="And this is what to do about it.",
        link="/projects/",
        state=NoticeState.SENT,
        created_at=now,
        due_at=now,
        sent_at=now,
    )


def _mail_for(user: User) -> DemoMail:
    return DemoMail.objects.create(
        message_id="<whole-site@localhost>",
        sender="notices@localhost",
        address=user.email,
        subject="Something happened",
        text="And this is what to do about it.",
        html="<!doctype html><html lang=en><title>Mail</title><main><h1>Something happened</h1></main>",
        received_at=timezone.now(),
    )


@dataclass(frozen=True, slots=True)
class Route:
    """One address pattern of the site. ``name`` has its namespace; a pattern without a name has its text there."""

    name: str
    pattern: str
    parameters: tuple[str, ...]


def routes() -> list[Route]:
    """Every address of the URL conf, in order."""
    return list(_walk(get_resolver().url_patterns, namespace="", prefix="", outer=()))


def _walk(
    patterns: list[URLPattern | URLResolver], *, namespace: str, prefix: str, outer: tuple[str, ...]
) -> Iterator[Route]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        named = (*outer, *pattern.pattern.converters) if hasattr(pattern.pattern, "converters") else outer
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, namespace=inner, prefix=text, outer=named)
        else:
            yield Route(f"{namespace}{pattern.name or text}", text, named)
