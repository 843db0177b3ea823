"""Addresses that are made fast are those that Django makes."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.template import Context, Template, engines
from django.template.backends.django import DjangoTemplates
from django.test import RequestFactory
from django.urls import NoReverseMatch, ResolverMatch, reverse, set_script_prefix

from connect.addresses import address_of
from portal.models import Environment

ONE, OTHER = UUID("11111111-2222-4333-8444-555555555555"), UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")


@pytest.mark.parametrize(
    ("view", "parts"),
    [
        ("home", ()),
        ("portal:project", (ONE,)),
        ("portal:credential", (ONE, "sandbox", OTHER)),
        ("portal:credential", (OTHER, Environment.PRODUCTION, ONE)),
        ("portal:credential", (ONE, "sandbox", ONE)),
        ("portal:credential_download", (ONE, "sandbox", OTHER, "pem")),
        ("portal:project", (str(ONE),)),
        ("kmp:entry", ("KM-200001",)),
    ],
    ids=["none", "one", "two", "other-environment", "same-twice", "text-behind", "as-text", "reference"],
)
def test_an_address_is_the_one_that_django_makes(view: str, parts: tuple[object, ...]) -> None:
    for _ in range(2):
        assert address_of(view, *parts) == reverse(view, args=parts)


def test_an_address_that_was_kept_is_not_given_for_another_id_or_environment() -> None:
    found = {
        address_of("portal:credential", project, environment, ONE)
        for project in (ONE, OTHER)
        for environment in Environment
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    ("view", "parts"),
    [
        ("portal:nowhere", ()),
        ("portal:project", ()),
        ("portal:project", (ONE, OTHER)),
        ("portal:project", ("x" * 500,)),
        ("portal:project", (None,)),
        ("portal:project", ([],)),
    ],
    ids=["no-view", "too-few", "too-many", "long", "none", "list"],
)
def test_what_has_no_address_is_refused_as_django_refuses_it(view: str, parts: tuple[object, ...]) -> None:
    with pytest.raises(NoReverseMatch) as by_django:
        reverse(view, args=parts)
    for _ in range(2):
        with pytest.raises(NoReverseMatch) as refused:
            address_of(view, *parts)
        assert str(refused.value) == str(by_django.value)


def test_a_site_below_another_path_has_its_addresses_there() -> None:
    before = address_of("portal:project", ONE)
    try:
        set_script_prefix("/below/")
        assert address_of("portal:project", ONE) == f"/below{before}" == reverse("portal:project", args=[ONE])
    finally:
        set_script_prefix("/")
    assert address_of("portal:project", ONE) == before


def _rendered(text: str, **values: object) -> str:
    backend = engines["django"]
    assert isinstance(backend, DjangoTemplates)
    return Template(text, engine=backend.engine).render(Context(values))


def test_the_tag_writes_an_address_or_keeps_it_in_a_variable() -> None:
    key = uuid4()
    expected = reverse("portal:project", args=[key])
    assert _rendered('{% url "portal:project" key %}', key=key) == expected
    assert _rendered('{% url "portal:project" key as here %}[{{ here }}]', key=key) == f"[{expected}]"
    assert _rendered('{% url "portal:project" project_id=key %}', key=key) == expected


def test_the_tag_fails_without_an_address_but_leaves_a_variable_empty() -> None:
    with pytest.raises(NoReverseMatch):
        _rendered('{% url "portal:project" key %}', key="no id")
    assert _rendered('{% url "portal:project" key as here %}[{{ here }}]', key="no id") == "[]"


def test_the_tag_looks_within_the_part_of_the_site_that_the_page_is_in(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.resolver_match = ResolverMatch(lambda: None, (), {}, app_names=["portal"], namespaces=["portal"])
    text = '{% url "projects" %}{% url "portal:projects" as here %}{{ here }}'
    with pytest.raises(NoReverseMatch):
        engines["django"].from_string(text).render({}, request)
    text = text.removeprefix('{% url "projects" %}')
    assert engines["django"].from_string(text).render({}, request) == reverse("portal:projects")
