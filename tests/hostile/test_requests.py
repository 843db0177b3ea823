"""Requests that no browser makes: cookies, character sets, hosts, queries, addresses to go on to, bodies."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from connect.models import User
from portal.models import Credential, Environment, Project
from tests.factories import PASSWORD, make_csr, make_project, subject_for
from tests.hostile.forms_found import FoundForm
from tests.whole_site import WholeSite, routes

GARBAGE = [
    *("x", "-1", "0", "1e9", "9" * 30, "9" * 6000, "１", "%00", "%FF%FE", "🦊", "../../etc/passwd", "' OR 1=1 --"),
    *("<script>alert(1)</script>", "00000000-0000-0000-0000-000000000000", "a" * 5000, "{7*7}", "${x}", "\u202egnp"),
]
CODECS = ["rot13", "base64", "unicode_escape", "raw_unicode_escape", "idna", "utf-16", "utf-7", "undefined", "no-such"]


def urls(site: WholeSite) -> list[str]:
    """Every page that the admin of the project may open."""
    values = site.parameters()
    ours = [route for route in routes() if not route.name.startswith("admin:")]
    return [reverse(route.name, kwargs={name: values[name] for name in route.parameters}) for route in ours]


# The names that stand in our addresses, and the pages that read them.
READ_BY = {
    "page": ["credentials"],
    "show": ["credentials"],
    "new": ["credentials"],
    "before": ["activity"],
    "rotate": ["add_certificate", "paste_csr", "upload_csr", "upload_certificate"],
}


@pytest.mark.parametrize(("name", "page"), [(name, page) for name, pages in READ_BY.items() for page in pages])
def test_garbage_in_the_query_is_no_failure_of_ours(site: WholeSite, name: str, page: str) -> None:
    client = site.client("admin")
    place = [site.project.pk] if page == "activity" else [site.project.pk, "sandbox"]
    others = [str(site.foreign_credential.pk), str(site.foreign.pk), str(site.deleted_credential.pk)]
    wrong = []
    for value in [*GARBAGE, *others]:
        text = value if value.startswith("%") else quote(value)
        response = client.get(f"{reverse(f'portal:{page}', args=place)}?{name}={text}")
        # NUL is no text: the site refuses the whole request.
        if response.status_code not in ({400} if value == "%00" else {200, 404}):
            wrong.append(f"{value[:40]}: {response.status_code}")
        if b"<script>alert" in response.content or b"foreign-secret-alias" in response.content:
            wrong.append(f"{value[:40]}: shown")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("codec", CODECS)
def test_a_body_in_another_character_set_is_refused(site: WholeSite, codec: str) -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="alias"\r\n\r\n\\ud800x\r\n--B--\r\n'
    url = reverse("portal:paste_csr", args=[site.project.pk, "sandbox"])
    for content_type in (f"multipart/form-data; boundary=B; charset={codec}", f"text/plain; charset={codec}"):
        assert site.client("admin").generic("POST", url, body, content_type=content_type).status_code == 400
    assert site.client("admin").get(url, CONTENT_TYPE=f"text/plain; charset={codec}").status_code == 400


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages"])
def test_nul_in_a_cookie_is_refused(site: WholeSite, name: str) -> None:
    response = Client().get(reverse("portal:projects"), headers={"cookie": f'{name}="abcdefgh\\000abcdefgh"'})
    assert response.status_code == 400
    assert "This could not be read" in response.content.decode()


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", 'a"b', "[::1", "", "localhost@evil.example"]
)
def test_a_foreign_host_is_refused(site: WholeSite, host: str) -> None:
    for url in urls(site):
        assert site.client("admin").get(url, headers={"host": host}).status_code == 400, url


@pytest.mark.parametrize(
    "target", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_and_out_lead_to_this_site_only(site: WholeSite, target: str) -> None:
    right = {"login": site.admin.email, "password": PASSWORD, "next": target}
    signed_in = Client().post(f"{reverse('account_login')}?next={quote(target)}", right)
    assert signed_in.headers["Location"] == reverse("portal:projects")
    signed_out = site.client("admin").post(reverse("account_logout"), {"next": target})
    assert signed_out.headers["Location"] == reverse("account_login")
    asked = site.client("anonymous").get(f"//evil.example{reverse('portal:projects')}")
    assert "//evil.example" not in asked.headers.get("Location", "").partition("?")[0]


def test_bodies_that_are_no_forms_are_no_failure_of_ours(site: WholeSite, forms: list[FoundForm]) -> None:
    admin, staff = site.client("admin"), site.client("staff")
    bodies = [
        (b"--x", "multipart/form-data"),
        (b"--x", f"multipart/form-data; boundary={'x' * 300}"),
        (b"--B\r\nContent-Disposition: form-data; name=\xff\r\n", "multipart/form-data; boundary=B"),
        (b"{", "application/json"),
        (b"a=%ed%a0%80&a=%00&=%FF", "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=x" % number for number in range(500)), "application/x-www-form-urlencoded"),
        (b"alias=" + b"a" * 600_000, "application/x-www-form-urlencoded"),
        (b"", "application/x-www-form-urlencoded"),
    ]
    wrong = []
    for action in {form.action for form in forms}:
        for client in (admin, staff):
            for body, content_type in bodies:
                found = client.generic("POST", action, body, content_type=content_type).status_code
                # 405: where one person has a form, another may have a list.
                if found not in (200, 302, 400, 403, 404, 405):
                    wrong.append(f"{action} {content_type[:40]} {body[:20]!r}: {found}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("length", ["67108865", "9" * 30, "9" * 6000])
def test_a_body_of_more_than_64_mebibytes_is_refused_unread(site: WholeSite, length: str) -> None:
    class Unreadable:
        def read(self, count: int = -1) -> bytes:
            raise AssertionError("the body was read")

        readline = read

    fields = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": length, "CONTENT_TYPE": "multipart/form-data; boundary=B"}
    for url in (reverse("account_login"), reverse("portal:clinic")):
        response: Any = Client(enforce_csrf_checks=True).request(REQUEST_METHOD="POST", PATH_INFO=url, **fields)
        assert response.status_code == 400
        assert "larger than anything this site takes" in response.content.decode()


def test_the_words_of_other_methods_change_nothing(site: WholeSite) -> None:
    client = site.client("admin")
    url = reverse("portal:credential_revoke", args=[site.project.pk, "sandbox", site.credential.pk])
    words = {"confirmation": "REVOKE", "reason": "superseded", "_method": "POST"}
    assert client.get(url, words, headers={"X-HTTP-Method-Override": "POST"}).status_code == 200
    for method in ("PUT", "PATCH", "DELETE", "TRACE", "REVOKE"):
        assert client.generic(method, url, "confirmation=REVOKE&reason=superseded").status_code == 405
    site.credential.refresh_from_db()
    assert site.credential.ended_at is None


def test_a_form_sent_to_another_project_is_refused(site: WholeSite) -> None:
    client, submission = site.client("admin"), str(uuid.uuid4())
    other = make_project(admin=site.admin)
    for project, status in ((site.project, 302), (other, 200)):
        form = {"alias": "twice", "submission": submission, "csr": make_csr(project).decode()}
        response = client.post(reverse("portal:paste_csr", args=[project.pk, "sandbox"]), form)
        assert response.status_code == status
    assert "This form was sent before, for another project." in response.content.decode()
    assert not Credential.objects.filter(project=other).exists()


class TestMassAssignment:
    """Whatever fields a model has, a form takes those that it shows."""

    def extra(self, site: WholeSite) -> dict[str, str]:
        taken = {"name", "email", "alias", "csr", "role", "submission", "confirmation", "reason", "user"}
        fields = {field.name for model in (Project, Credential, User) for field in model._meta.fields}
        values = {
            "company": str(site.foreign.company_id),
            "project": str(site.foreign.pk),
            "environment": "production",
            "predecessor": str(site.foreign_credential.pk),
            "deleted_at": "2020-01-01",
            "ended_at": "2020-01-01",
            "is_staff": "on",
            "is_superuser": "on",
            "id": str(site.foreign.pk),
        }
        return {**dict.fromkeys(fields, "1"), **values} | {name: "" for name in taken if name not in values}

    def test_of_a_project(self, site: WholeSite) -> None:
        site.client("admin").post(reverse("portal:project_create"), {**self.extra(site), "name": "Modest"})
        project = Project.objects.get(name="Modest")
        assert (project.company_id, project.deleted_at) == (site.admin.company_id, None)
        assert [member.user for member in project.memberships.all()] == [site.admin]

    def test_of_a_credential(self, site: WholeSite) -> None:
        own = {"alias": "modest", "csr": make_csr(site.project).decode(), "submission": str(uuid.uuid4())}
        url = reverse("portal:paste_csr", args=[site.project.pk, "sandbox"])
        assert site.client("admin").post(url, {**self.extra(site), **own}).status_code == 302
        found = Credential.objects.get(alias="modest")
        assert (found.project, found.environment, found.predecessor) == (site.project, Environment.SANDBOX, None)
        assert (found.ended_at, found.created_by) == (None, site.admin.email)
        wanted = dict(subject_for(site.project))
        assert f"O={wanted['O']}" in found.certificate.subject

    def test_of_a_person(self, site: WholeSite) -> None:
        url = reverse("portal:team_role", args=[site.project.pk, site.member.pk])
        site.client("admin").post(url, {**self.extra(site), "role": "admin", "user": str(site.stranger.pk)})
        words = {"oldpassword": PASSWORD, "password1": "another horse battery", "password2": "another horse battery"}
        site.client("member").post(reverse("account_change_password"), {**self.extra(site), **words})
        site.member.refresh_from_db()
        assert (site.member.is_staff, site.member.is_superuser) == (False, False)
        assert site.member.company == site.company
        assert not site.project.memberships.filter(user=site.stranger).exists()
