"""Delete a project: its name typed, its certificates ended, and nobody sees it again."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from audit.events import Actor
from audit.models import AuditEvent
from certauthority.models import Authority, ReasonCode, RevocationReason
from portal import revocation
from portal.ending import ROWS_BEFORE_DELETING
from portal.models import Credential, EndReason, Environment, Project
from tests.factories import make_credential, make_many_credentials
from tests.page_text import text_of
from tests.portal.rotation_calls import called


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


def url(project: Project) -> str:
    return f"/projects/{project.pk}/delete/"


def test_it_ends_every_certificate_and_hides_the_project(project: Project, as_alice: Client) -> None:
    ours = make_credential(project)
    (others,) = make_many_credentials(project, 1, Environment.PRODUCTION)
    answer = as_alice.post(url(project), {"name": "Checkout API"}, follow=True)
    assert answer.redirect_chain == [("/projects/", 302)]
    assert "Checkout API was deleted. Its 2 live certificates have ended." in text_of(answer)
    ours.refresh_from_db()
    ours.certificate.refresh_from_db()
    others.refresh_from_db()
    assert ours.certificate.revocation_reason == RevocationReason.CESSATION_OF_OPERATION
    assert (ours.end_reason, others.end_reason) == (EndReason.REVOKED, EndReason.PROJECT_DELETED)
    project.refresh_from_db()
    assert project.deleted_at is not None
    assert as_alice.get(f"/projects/{project.pk}/").status_code == 404
    assert AuditEvent.objects.filter(action="project.deleted", project=str(project.pk)).count() == 1


def test_a_repeated_post_is_harmless(project: Project, as_alice: Client) -> None:
    as_alice.post(url(project), {"name": "Checkout API"})
    assert as_alice.post(url(project), {"name": "Checkout API"}).status_code == 404
    assert AuditEvent.objects.filter(action="project.deleted").count() == 1


@pytest.mark.parametrize(
    "name",
    ["", "checkout api", " Checkout API", "Checkout API ", "Checkout  API", "Checkout\u00a0API", "Check\u043eut API"],
)
def test_anything_but_the_exact_name_changes_nothing_and_is_kept(project: Project, as_alice: Client, name: str) -> None:
    credential = make_credential(project)
    answer = as_alice.post(url(project), {"name": name})
    assert answer.status_code == 200
    text = text_of(answer)
    assert "Type Checkout API exactly" in text or "Type the name of the project" in text
    assert answer.context["form"]["name"].value() == name
    project.refresh_from_db()
    credential.refresh_from_db()
    assert project.deleted_at is None
    assert credential.ended_at is None


def test_the_page_lists_what_ends(project: Project, as_alice: Client) -> None:
    make_credential(project, alias="checkout-mtf")
    gone = make_credential(project, alias="gone-before")
    revocation.end(gone, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    make_many_credentials(project, 2)
    text = text_of(as_alice.get(url(project)))
    assert "checkout-mtf Sandbox" in text
    assert "gone-before" not in text
    assert "1 certificate of our Developers CA is revoked at once: OCSP says so, and the next CRL lists it." in text
    assert "2 certificates of another CA cannot be used here any more." in text


def test_what_was_used_in_the_last_hour_is_told(project: Project, as_alice: Client) -> None:
    first, second, third = (make_credential(project) for _ in range(3))
    called(first, 61)
    called(third, 5, reason=ReasonCode.WRONG_ENVIRONMENT)
    assert "used in the last hour" not in text_of(as_alice.get(url(project)))
    called(first, 5, 6)
    assert "1 of them was used in the last hour. Its calls are refused" in text_of(as_alice.get(url(project)))
    called(second, 59)
    assert "2 of them were used in the last hour. Their calls are refused" in text_of(as_alice.get(url(project)))
    revocation.end(first, reason=RevocationReason.SUPERSEDED, actor=Actor("factory"), now=timezone.now())
    assert "1 of them was used in the last hour." in text_of(as_alice.get(url(project)))


def test_a_long_list_is_cut(project: Project, as_alice: Client) -> None:
    make_many_credentials(project, ROWS_BEFORE_DELETING + 7)
    text = text_of(as_alice.get(url(project)))
    assert "and 7 more" in text
    assert text.count("bulk-") == ROWS_BEFORE_DELETING


def test_an_empty_project_says_so(project: Project, as_alice: Client) -> None:
    assert "The project has no live certificate." in text_of(as_alice.get(url(project)))
    answer = as_alice.post(url(project), {"name": "Checkout API"}, follow=True)
    assert "It had no live certificate." in text_of(answer)


def test_reading_deletes_nothing(project: Project, as_alice: Client) -> None:
    assert as_alice.get(url(project), {"name": "Checkout API"}).status_code == 200
    assert as_alice.delete(url(project)).status_code == 405
    project.refresh_from_db()
    assert project.deleted_at is None


def test_readers_may_not_and_strangers_see_nothing(project: Project, as_bob: Client, as_charlie: Client) -> None:
    make_credential(project)
    for answer in (as_bob.get(url(project)), as_bob.post(url(project), {"name": "Checkout API"})):
        assert answer.status_code == 403
        assert "You are a read-only member of Checkout API." in text_of(answer)
    for answer in (as_charlie.get(url(project)), as_charlie.post(url(project), {"name": "Checkout API"})):
        assert answer.status_code == 404
    assert not Credential.objects.exclude(ended_at=None).exists()


def test_a_name_with_markup_can_be_typed(project: Project, as_alice: Client) -> None:
    project.name = "A & B <C>"
    project.save()
    assert "Type A & B <C> to confirm" in text_of(as_alice.get(url(project)))
    as_alice.post(url(project), {"name": "A & B <C>"})
    project.refresh_from_db()
    assert project.deleted_at is not None
