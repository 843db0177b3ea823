"""Inserting without ``save``: the same row, and the same constraints."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.db import DataError, IntegrityError, models, transaction
from django.db.models.signals import post_init
from django.utils import timezone
from django.utils.functional import lazystr

from audit.insertion import _is_stored_as_it_stands, _shape, insert, insert_new, new_row, update_each
from audit.models import AuditEvent
from connect.models import Company, User
from portal.models import Project

pytestmark = pytest.mark.django_db


class Word(models.TextChoices):
    ALICE = "alice"


def event(**fields: object) -> AuditEvent:
    return AuditEvent(at=timezone.now(), actor="alice", action="x", object_type="t", object_id="1", **fields)


def test_it_stores_what_save_would(db: None) -> None:
    inserted, saved = event(after={"a": [1, None]}), event(after={"a": [1, None]})
    assert insert(inserted) is inserted
    saved.save()
    rows = list(AuditEvent.objects.order_by("pk").values("actor", "before", "after", "company"))
    assert rows[0] == rows[1]
    assert AuditEvent.objects.get(pk=inserted.pk).reference == inserted.reference


def test_a_key_given_by_the_model_is_kept_and_the_object_counts_as_stored(db: None) -> None:
    company = insert(Company(name="Acme Payments Ltd", country="GB"))
    company.cid = "123456"
    company.save()
    assert Company.objects.get(pk=company.pk).cid == "123456"


def test_values_that_must_be_prepared_are(db: None) -> None:
    reference, later = uuid4(), timezone.now()
    given = {"reference": str(reference), "object_label": lazystr("Läbel"), "actor": Word.ALICE}
    stored = AuditEvent.objects.get(pk=insert(AuditEvent(at=later, action="x", **given)).pk)
    assert (stored.reference, stored.object_label, stored.actor) == (reference, "Läbel", "alice")
    assert (stored.at, stored.company_at) == (later, None)


def test_a_moment_without_a_zone_is_told_as_django_tells_it(db: None) -> None:
    naive = timezone.now().replace(tzinfo=None)
    with pytest.warns(RuntimeWarning, match="received a naive datetime"):
        stored = insert(AuditEvent(at=naive, actor="alice", action="x", object_type="t", object_id="1"))
    assert AuditEvent.objects.get(pk=stored.pk).at == timezone.make_aware(naive)


def test_the_databases_constraints_hold(db: None) -> None:
    first = insert(event())
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(event(reference=first.reference))


def test_an_object_made_for_insertion_is_what_the_model_makes(db: None) -> None:
    company = Company.objects.create(name="Acme Payments Ltd", country="GB")
    values = {"company": company, "name": "Rail", "created_at": timezone.now()}
    made, usual = new_row(Project, **values), Project(**values)
    shown = [field.attname for field in Project._meta.concrete_fields if not field.primary_key]
    assert [getattr(made, name) for name in shown] == [getattr(usual, name) for name in shown]
    assert list(made.__dict__) == list(usual.__dict__)
    assert made._state.adding
    assert len({made.pk, usual.pk, new_row(Project, **values).pk, None}) == 4
    assert made.company is company
    stored = Project.objects.get(pk=insert(made).pk)
    assert (stored.company, stored.name, stored.deleted_at) == (company, "Rail", None)


def test_who_listens_for_objects_hears_of_each() -> None:
    heard: list[type[models.Model]] = []

    def hear(sender: type[models.Model], **_: object) -> None:
        heard.append(sender)

    post_init.connect(hear, sender=AuditEvent)
    try:
        assert new_row(AuditEvent, actor="alice").actor == "alice"
    finally:
        post_init.disconnect(hear, sender=AuditEvent)
    new_row(AuditEvent, actor="alice")
    assert heard == [AuditEvent]


def test_a_model_that_does_more_makes_its_objects_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = AuditEvent.__init__

    def louder(self: AuditEvent, *args: Any, **values: Any) -> None:
        usual(self, *args, **values)
        self.actor = self.actor.upper()

    monkeypatch.setattr(AuditEvent, "__init__", louder)
    _shape.cache_clear()
    try:
        assert new_row(AuditEvent, actor="alice").actor == "ALICE"
    finally:
        _shape.cache_clear()


def test_each_object_has_defaults_of_its_own() -> None:
    first, second = new_row(AuditEvent, actor="alice"), new_row(AuditEvent)
    assert [first.before, first.pk] == [{}, None]
    assert first.before is not second.before
    assert first.reference != second.reference


def test_a_field_that_the_model_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="AuditEvent has no field actress"):
        new_row(AuditEvent, actress="alice")


def test_a_moment_that_a_field_sets_itself_is_set(db: None) -> None:
    user = User.objects.create_user("alice@acme.example", name="Alice")
    before = timezone.now()
    entry = insert(Authenticator(user=user, type="totp", data={}))
    assert before <= Authenticator.objects.get(pk=entry.pk).created_at <= timezone.now()


@pytest.mark.parametrize(
    ("field", "stands"),
    [
        (models.DateField(null=True), True),
        (models.DateField(auto_now=True), False),
        (models.DateField(auto_now_add=True), False),
        (models.DateTimeField(auto_now=True), False),
        (models.FileField(), False),
    ],
    ids=["a-date", "the-day-of-each-change", "the-first-day", "the-moment-of-each-change", "a-file"],
)
def test_a_field_that_sets_its_own_value_is_asked_for_it(field: models.Field[Any, Any], *, stands: bool) -> None:
    assert _is_stored_as_it_stands(field) is stands


def company_row(name: str) -> tuple[object, ...]:
    return uuid4(), name, None


def test_many_are_stored_as_save_would_and_those_that_are_there_are_left_out(db: None) -> None:
    now = timezone.now()
    rows = [company_row("Acme Payments Ltd"), company_row("Globex “Ltd”, {NULL}"), company_row("Acme Payments Ltd")]
    columns = ["id", "name", "cid"]
    assert insert_new(Company, columns, rows, same={"country": "GB", "verified_at": now}) == 2
    assert insert_new(Company, columns, [*rows, company_row("Initech")], same={"country": "GB"}) == 1
    assert insert_new(Company, columns, [], same={}) == 0
    saved = Company.objects.create(name="Saved", country="GB", verified_at=now)
    shown = [field.name for field in Company._meta.concrete_fields if field.name not in ("id", "name")]
    wanted = Company.objects.filter(pk=saved.pk).values(*shown).get()
    stored = Company.objects.filter(name__in=[str(row[1]) for row in rows])
    assert list(stored.values(*shown)) == [wanted, wanted]
    assert set(stored.values_list("pk", flat=True)) == {rows[0][0], rows[1][0]}


def test_each_row_keeps_its_own_where_others_have_the_same(db: None) -> None:
    columns = ["id", "country", "name", "group_email"]
    rows = [(uuid4(), "GB", f"Company {number}", "same@acme.example") for number in range(3)]
    rows.append((uuid4(), "GB", "Company 3", "other@acme.example"))
    for some in (rows[:1], rows[1:3], rows):
        insert_new(Company, columns, some, same={})
    assert sorted(Company.objects.values_list(*columns)) == sorted(rows)


def test_each_row_gets_a_key_of_its_own_where_none_is_given(db: None) -> None:
    rows = [(f"Company {number}", "GB") for number in range(20)]
    assert insert_new(Company, ["name", "country"], rows, same={}) == 20
    assert insert_new(Company, ["name", "country"], rows, same={}, once=["name"]) == 0
    keys = set(Company.objects.values_list("pk", flat=True))
    assert len(keys) == 20
    assert {key.version for key in keys} == {4}
    assert sorted(Company.objects.values_list("name", "country")) == sorted(rows)


@pytest.mark.parametrize("count", [1, 3])
def test_only_the_constraint_that_is_named_leaves_rows_out(count: int, db: None) -> None:
    columns = ["id", "name", "cid"]
    rows = [(uuid4(), f"Company {number}", f"70000{number}") for number in range(count)]
    assert insert_new(Company, columns, rows, same={}, once=["name"]) == count
    again = [(uuid4(), name, None) for _, name, _ in rows]
    assert insert_new(Company, columns, again, same={}, once=["name"]) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_new(Company, columns, [(uuid4(), "Another", cid) for _, _, cid in rows[:1]], same={}, once=["name"])
    assert Company.objects.count() == count


@pytest.mark.postgresql
def test_what_is_too_long_is_refused_and_not_cut(db: None) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_new(Company, ["id", "name", "cid"], [company_row("x" * 65)], same={})


def test_a_constraint_other_than_of_uniqueness_holds_for_many(db: None) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_new(Company, ["id", "name", "cid"], [company_row("Acme")], same={"clock_run": uuid4()})


def test_each_row_gets_its_own_value_in_one_statement(db: None) -> None:
    companies = [Company.objects.create(name=f"Company {number}") for number in range(3)]
    now = timezone.now()
    update_each(Company, "verified_at", {companies[0].pk: now, companies[1].pk: None, uuid4(): now})
    update_each(Company, "verified_at", {})
    assert list(Company.objects.order_by("name").values_list("verified_at", flat=True)) == [now, None, None]
    update_each(Company, "verified_at", {companies[0].pk: None, companies[2].pk: now})
    assert list(Company.objects.order_by("name").values_list("verified_at", flat=True)) == [None, None, now]
