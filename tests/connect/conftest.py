"""A company with Sam, its Security Administrator, and Dora, who works there; staff; and browsers for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from connect.models import Company, User
from tests.connect.factories import make_security_administrator, make_staff
from tests.factories import make_company, make_user

SignIn = Callable[[User], Client]


@pytest.fixture
def acme(db: None) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456")


@pytest.fixture
def sam(acme: Company) -> User:
    return make_security_administrator(acme, email="sam@acme.example", name="Sam Whitfield")


@pytest.fixture
def dora(acme: Company) -> User:
    return make_user(company=acme, email="dora@acme.example", name="Dora Lind")


@pytest.fixture
def kim(db: None) -> User:
    return make_staff(email="kim@rehearsal.example", name="Kim Adeyemi")


@pytest.fixture
def sign_in() -> SignIn:
    """Gives a browser in which a person is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return signed_in
