"""Alice owns the project, Bob is on its team and may only look, Charlie of another company must see nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from connect.models import User
from portal.models import Project
from tests.factories import make_company, make_member, make_project, make_user


@pytest.fixture
def alice(db: None) -> User:
    company = make_company(name="Acme Payments Ltd", cid="123456")
    return make_user(email="alice@acme.example", name="Alice Marlow", company=company)


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def bob(project: Project) -> User:
    return make_member(project, email="bob@acme.example", name="Bob Tran")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user(email="charlie@globex.example", name="Charlie Okafor")


def signed_in(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)
