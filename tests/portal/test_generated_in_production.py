"""A key made in the browser for Production, before production access is approved."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from certauthority.models import Authority
from portal.models import Environment, Project
from tests.factories import make_csr, make_project, make_user
from tests.page_text import text_of

pytestmark = pytest.mark.django_db
NOT_YET = "does not work yet"


@pytest.fixture
def project(authorities: dict[str, Authority]) -> Project:
    return make_project(admin=make_user(email="alice@acme.example"))


@pytest.fixture
def alice(project: Project) -> Client:
    client = Client()
    client.force_login(project.members.get())
    return client


@pytest.mark.parametrize(("environment", "is_said"), [(Environment.PRODUCTION, True), (Environment.SANDBOX, False)])
def test_the_page_and_the_message_say_that_it_does_not_work_yet(
    alice: Client, project: Project, environment: Environment, is_said: bool
) -> None:
    url = reverse("portal:generate_key", args=[project.pk, environment])
    assert (NOT_YET in text_of(alice.get(url))) == is_said
    sent = {"alias": "live", "submission": str(uuid.uuid4()), "csr": make_csr(project, environment).decode()}
    answer = alice.post(url, sent, headers={"accept": "application/json"}).json()
    alice.post(answer["credential"]["saved_url"], headers={"accept": "application/json"})
    page = alice.get(reverse("portal:projects"))
    (message,) = [str(message) for message in page.context["messages"]]
    assert "live was added" in message
    assert (NOT_YET in message) == is_said
