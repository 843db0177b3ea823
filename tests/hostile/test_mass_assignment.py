"""Every field of every model, sent along with every form: what no form asks for is ignored."""

from __future__ import annotations

from collections import Counter
from copy import copy
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.test import Client
from pytest_django import Settings

from tests.hostile.forms_found import FoundForm
from tests.hostile.traces import database_dump
from tests.whole_site import WholeSite

OURS = {"audit", "certauthority", "connect", "gateway", "kmp", "portal"}
OWNERS = ("connect.Company", "connect.User", "portal.Project")
CANARY = "canary-of-mass-assignment"
FAR_AWAY = "2099-01-02"


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def every_field(site: WholeSite) -> dict[str, str]:
    """Each name that a column or relation of ours has, with a value that would change something."""
    values: dict[str, str] = {}
    for model in our_models():
        for field in model._meta.concrete_fields:
            value = _value(field, site)
            for name in {field.name, field.attname}:
                values.setdefault(name, value)
    return values


def _value(field: models.Field[Any, Any], site: WholeSite) -> str:
    if field.choices:
        return str(list(field.choices)[-1][0])
    match field:
        case models.ForeignKey() | models.UUIDField():
            return str(site.foreign.company_id if field.name == "company" else site.foreign.pk)
        case models.BooleanField():
            return "true"
        case models.DateTimeField():
            return f"{FAR_AWAY}T03:04:05Z"
        case models.DateField():
            return FAR_AWAY
        case models.IntegerField() | models.FloatField() | models.DurationField():
            return "77777777"
    return CANARY


def owners() -> frozenset[object]:
    """Every company, person and project that there is."""
    return frozenset(
        key for model in OWNERS for key in apps.get_model(model)._default_manager.values_list("pk", flat=True)
    )


def standing(known: frozenset[object]) -> dict[str, Counter[tuple[object, ...]]]:
    """How many rows of each model have which states, owners and flags: what a person might want to change.

    An owner that is not ``known`` was made just now, under an id that is another each time.
    """
    return {model._meta.label: Counter(_standings(model, known)) for model in our_models()}


def _standings(model: type[models.Model], known: frozenset[object]) -> list[tuple[object, ...]]:
    told = [field for field in model._meta.concrete_fields if _is_standing(field)]
    if not told:
        return [()] * model._default_manager.count()
    refers = [isinstance(field, models.ForeignKey) for field in told]
    return [
        tuple(
            "new" if refer and value and value not in known else value for refer, value in zip(refers, row, strict=True)
        )
        for row in model._default_manager.values_list(*[field.attname for field in told])
    ]


def _is_standing(field: models.Field[Any, Any]) -> bool:
    if isinstance(field, models.ForeignKey):
        return field.related_model._meta.label in OWNERS
    return isinstance(field, models.BooleanField) or bool(field.choices)


def after_sending(
    client: Client, form: FoundForm, fields: dict[str, Any], known: frozenset[object]
) -> tuple[int, dict[str, Any], bool]:
    """The status, what then stands in the database, and whether one of our values is in it; all of it is undone."""
    cookies = copy(client.cookies)
    with transaction.atomic():
        status = client.post(form.action, fields).status_code
        found = standing(known)
        # A form that comes back with what was wrong has changed nothing.
        dump = b"\n".join(database_dump().values()) if status == 302 else b""
        transaction.set_rollback(True)
    client.cookies = cookies
    return status, found, CANARY.encode() in dump or FAR_AWAY.encode() in dump


def test_what_no_form_asks_for_changes_nothing(site: WholeSite, forms: list[FoundForm], settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
    values = every_field(site)
    assert {"state", "company", "company_id", "is_staff", "serial", "decided_by", "not_after", "role"} <= set(values)
    clients = {person: site.client(person) for person in {form.person for form in forms}}
    problems, changing = [], 0
    were = owners()
    nothing = standing(were)
    for form in forms:
        known = form.filled(site, confirmation="REVOKE")
        status, expected, _ = after_sending(clients[form.person], form, known, were)
        changing += expected != nothing
        more = {name: value for name, value in values.items() if name not in {*known, *form.files, *form.buttons}}
        sent, found, has_canary = after_sending(clients[form.person], form, {**known, **more}, were)
        if sent != status or found != expected or has_canary:
            names = [label for label in expected if expected[label] != found[label]]
            problems.append(f"{form.action} ({form.person}): {status} became {sent}; {names}; canary {has_canary}")
    assert problems == []
    assert changing > 5, "forms that change something were among them"
