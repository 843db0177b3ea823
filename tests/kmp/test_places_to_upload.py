"""From a certificate of KMP to the projects of the Developers portal that may use it."""

from __future__ import annotations

import re

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import RevocationReason
from connect.models import Company, User
from connect.places_to_upload import places_for
from kmp import entries
from kmp.models import Environment
from portal.models import Membership, Role
from portal.revocation import revoke
from tests.factories import make_project, make_user
from tests.kmp.factories import PORTAL_CLIENT, make_entry
from tests.page_text import text_of
from tests.portal.test_credential_ended import upload

_LINKS = re.compile(r'<a href="([^"]*upload-certificate/)"')


def upload_url(project: object, environment: str) -> str:
    return reverse("portal:upload_certificate", args=[getattr(project, "pk", None), environment])


def links_on(client: Client, environment: Environment, company: Company) -> list[str]:
    entry = make_entry(company, PORTAL_CLIENT, environment)
    return _LINKS.findall(client.get(reverse("kmp:entry", args=[entry.reference])).content.decode())


def test_a_certificate_leads_to_the_projects_whose_admin_one_is_in_its_environment(
    as_olga: Client, olga: User, acme: Company
) -> None:
    second, first = make_project(admin=olga, name="Zebra"), make_project(admin=olga, name="Apple")
    read_only, foreign = make_project(admin=make_user(company=acme)), make_project()
    Membership.objects.create(project=read_only, user=olga, role=Role.READ_ONLY, since=timezone.now())
    gone = make_project(admin=olga)
    gone.deleted_at = timezone.now()
    gone.save()
    assert links_on(as_olga, Environment.MTF, acme) == [upload_url(first, "sandbox"), upload_url(second, "sandbox")]
    assert links_on(as_olga, Environment.PRODUCTION, acme) == [
        upload_url(first, "production"),
        upload_url(second, "production"),
    ]
    for address in links_on(as_olga, Environment.MTF, acme):
        assert as_olga.get(address).status_code == 200
    assert str(foreign.pk) not in str(places_for(olga, "MTF"))


def test_who_is_admin_of_no_project_is_told_the_way(as_olga: Client, acme: Company) -> None:
    for environment, label in ((Environment.MTF, "Sandbox"), (Environment.PRODUCTION, "Production")):
        page = as_olga.get(reverse("kmp:entry", args=[make_entry(acme, PORTAL_CLIENT, environment).reference]))
        assert f"and choose {label}, “Add certificate”, “Upload mTLS certificate”" in text_of(page)
        assert reverse("portal:projects") in page.content.decode()


def test_of_many_projects_the_first_ten_are_offered(as_olga: Client, olga: User, acme: Company) -> None:
    for number in range(12):
        make_project(admin=olga, name=f"Project {number:02}")
    page = as_olga.get(reverse("kmp:entry", args=[make_entry(acme).reference]))
    assert len(_LINKS.findall(page.content.decode())) == 10
    assert "the first ten of 12 projects" in text_of(page)


def test_a_renewal_takes_over_from_the_version_that_a_project_has(as_olga: Client, olga: User, acme: Company) -> None:
    make_project(admin=olga, name="Apple")
    project = make_project(admin=olga, name="Zebra")
    older = make_entry(acme, PORTAL_CLIENT, Environment.PRODUCTION)
    credential = upload(older, project)
    newer = make_entry(acme, PORTAL_CLIENT, renews=older)
    address = reverse("kmp:entry", args=[newer.reference])
    page = as_olga.get(address)
    rotating = f"{upload_url(project, 'production')}?rotate={credential.pk}"
    assert page.content.decode().index(rotating) < page.content.decode().index("Apple, Production")
    assert "it takes over from from-kmp there, which stays live beside it" in text_of(page)
    assert as_olga.get(rotating).context["predecessor"] == credential
    revoke(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    assert "?rotate=" not in as_olga.get(address).content.decode()


def test_a_revoked_certificate_leads_nowhere(as_olga: Client, olga: User, acme: Company) -> None:
    make_project(admin=olga)
    entry = make_entry(acme)
    entries.revoke(entry, reason=RevocationReason.SUPERSEDED, actor=Actor("olga"), now=timezone.now())
    page = as_olga.get(reverse("kmp:entry", args=[entry.reference]))
    assert not _LINKS.findall(page.content.decode())


def test_the_number_of_queries_does_not_grow_with_the_projects(as_olga: Client, olga: User, acme: Company) -> None:
    address = reverse("kmp:entry", args=[make_entry(acme).reference])
    as_olga.get(address)
    counts = []
    for _ in range(2):
        for _ in range(3):
            make_project(admin=olga)
        with CaptureQueriesContext(connection) as captured:
            as_olga.get(address)
        counts.append(len(captured))
    assert counts[0] == counts[1]
