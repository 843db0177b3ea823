"""Fixtures of the Key Management Portal: Olga is a security officer of Acme, Charlie one of another company."""

from __future__ import annotations

import pytest
from django.test import Client

from certauthority.models import Authority
from connect.models import Company, User
from kmp.applications import create_applications
from kmp.models import Application
from tests.factories import make_company
from tests.kmp.factories import make_officer


@pytest.fixture
def applications(db: None) -> dict[str, Application]:
    """The applications of every site with their DN requirements, by code."""
    create_applications()
    return {application.code: application for application in Application.objects.all()}


@pytest.fixture
def acme(authorities: dict[str, Authority]) -> Company:
    """A company that lacks nothing but its second officer."""
    return make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")


@pytest.fixture
def olga(acme: Company) -> User:
    """One of two security officers of Acme."""
    make_officer(acme, email="piet@acme.example", name="Piet Jansen")
    return make_officer(acme, email="olga@acme.example", name="Olga Brandt")


@pytest.fixture
def as_olga(olga: User) -> Client:
    return signed_in(olga)


@pytest.fixture
def as_charlie(authorities: dict[str, Authority]) -> Client:
    """A security officer of another company."""
    return signed_in(make_officer(email="charlie@globex.example", name="Charlie Okafor"))


def signed_in(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client
