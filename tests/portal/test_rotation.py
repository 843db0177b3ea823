"""`Rotate`: a new certificate beside the old one, both live, until the old one is revoked."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, RevocationReason
from portal import revocation
from portal.models import Credential, Environment, Project
from tests.factories import make_credential, make_csr, make_project
from tests.page_text import text_of
from tests.portal.credential_pages import credential_url, file_of, page_url, sent


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one")


def end(credential: Credential) -> None:
    revocation.end(credential, reason=RevocationReason.SUPERSEDED, actor=Actor("test"), now=timezone.now())


@pytest.mark.parametrize("name", ["add_certificate", "upload_csr", "paste_csr", "upload_certificate"])
def test_the_pages_say_what_is_rotated_and_how_to_leave(
    as_alice: Client, project: Project, old: Credential, name: str
) -> None:
    page = as_alice.get(page_url(name, project, rotate=old.pk))
    assert "You are rotating old-one" in text_of(page)
    assert f'<a href="{page_url(name, project)}">Add an unrelated one instead</a>' in page.content.decode()


def test_the_options_explain_the_way_and_keep_the_predecessor(
    as_alice: Client, project: Project, old: Credential
) -> None:
    page = as_alice.get(page_url("add_certificate", project, rotate=old.pk))
    assert "Add Switch Prove Revoke" in text_of(page)
    for name in ("upload_csr", "paste_csr", "upload_certificate"):
        assert page_url(name, project, rotate=old.pk) in page.content.decode()


def test_while_both_live_both_rows_say_so(as_alice: Client, project: Project, old: Credential) -> None:
    url = page_url("upload_csr", project, rotate=old.pk)
    form = sent(alias="new-one", csr_file=file_of(make_csr(project)))
    text = text_of(as_alice.post(url, form, follow=True))
    assert "Once nothing uses old-one any more, revoke that one." in text
    assert Credential.objects.get(alias="new-one").predecessor == old
    assert "old-one Rotating: replaced by new-one" in text
    assert "Replaces old-one" in text


def test_after_the_old_one_ended_no_row_says_so(as_alice: Client, project: Project, old: Credential) -> None:
    make_credential(project, alias="new-one", predecessor=old)
    end(old)
    text = text_of(as_alice.get(page_url("credentials", project, show="all")))
    assert "Rotating" not in text
    assert "Replaces" not in text


def test_a_refused_form_keeps_the_predecessor(as_alice: Client, project: Project, old: Credential) -> None:
    page = as_alice.post(page_url("paste_csr", project, rotate=old.pk), sent(csr="nonsense"))
    assert "You are rotating old-one" in text_of(page)
    assert f'action="{page_url("paste_csr", project, rotate=old.pk)}"' in page.content.decode()


def test_one_that_has_ended_cannot_be_rotated(as_alice: Client, project: Project, old: Credential) -> None:
    end(old)
    for name in ("add_certificate", "paste_csr"):
        response = as_alice.get(page_url(name, project, rotate=old.pk), follow=True)
        assert response.redirect_chain == [(page_url("add_certificate", project), 302)]
        assert "old-one has ended, so there is nothing to rotate." in text_of(response)


def test_one_that_ended_while_the_form_was_filled_is_told(as_alice: Client, project: Project, old: Credential) -> None:
    end(old)
    url = page_url("paste_csr", project, rotate=old.pk)
    text = text_of(as_alice.post(url, sent(csr=make_csr(project).decode())))
    assert "old-one, which this certificate was to replace, has ended meanwhile." in text
    assert Credential.objects.count() == 1


def test_only_a_credential_of_the_same_place_can_be_rotated(
    as_alice: Client, project: Project, old: Credential
) -> None:
    elsewhere = make_credential(project, Environment.PRODUCTION)
    foreign = make_credential(make_project())
    for value in (elsewhere.pk, foreign.pk, uuid.uuid4(), "x"):
        for name in ("add_certificate", "paste_csr"):
            url = page_url(name, project, rotate=value)
            assert as_alice.get(url).status_code == 404
        assert as_alice.post(url, sent(csr=make_csr(project).decode())).status_code == 404
    assert not Credential.objects.exclude(predecessor=None).exists()


def test_the_menu_starts_it(as_alice: Client, project: Project, old: Credential) -> None:
    link = page_url("add_certificate", project, rotate=old.pk)
    assert link in as_alice.get(page_url("credentials", project)).content.decode()
    assert link in as_alice.get(credential_url("credential", old)).content.decode()
