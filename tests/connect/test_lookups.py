"""`any_of`: the same answers as `in`, with one parameter however many values there are."""

from __future__ import annotations

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connect.models import Company, User
from tests.factories import make_company, make_user

pytestmark = pytest.mark.django_db


def test_it_finds_what_in_finds() -> None:
    companies = [make_company() for _ in range(3)]
    wanted = [companies[0].pk, companies[2].pk, uuid.uuid4()]
    found = set(Company.objects.filter(pk__any_of=wanted))
    assert found == set(Company.objects.filter(pk__in=wanted)) == {companies[0], companies[2]}


def test_it_follows_a_relation() -> None:
    company, other = make_company(), make_company()
    user = make_user(company=company)
    make_user(company=other)
    assert list(User.objects.filter(company__pk__any_of={company.pk})) == [user]


def test_no_value_finds_nothing() -> None:
    make_company()
    with CaptureQueriesContext(connection) as queries:
        assert list(Company.objects.filter(pk__any_of=[])) == []
        assert list(Company.objects.filter(pk__any_of=[None])) == []
    assert len(queries) == 0


@pytest.mark.postgresql
def test_the_statement_does_not_grow_with_the_values() -> None:
    lengths = set()
    for count in (2, 200):
        with CaptureQueriesContext(connection) as queries:
            Company.objects.filter(name__any_of=["name"] * count).exists()
        lengths.add(queries[0]["sql"].count("ANY"))
        assert " IN (" not in queries[0]["sql"]
    assert lengths == {1}
