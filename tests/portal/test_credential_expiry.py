"""The end of a certificate, copied to its credential: the same whoever writes, and whenever."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from certauthority.models import Certificate
from portal.models import Credential
from tests.factories import make_credential, make_many_credentials, make_project

pytestmark = pytest.mark.usefixtures("authorities")


def test_it_is_stored_with_the_credential() -> None:
    credential = make_credential(make_project())
    assert credential.expires_at == credential.certificate.not_after


def test_the_database_takes_it_where_nobody_gives_it() -> None:
    (made,) = make_many_credentials(make_project(), 1)
    again = Credential.objects.select_related("certificate").get(pk=made.pk)
    assert made.expires_at is None
    assert again.expires_at == again.certificate.not_after


def test_it_follows_the_certificate() -> None:
    credential, other = make_credential(make_project()), make_credential(make_project())
    end = timezone.now() + timedelta(days=3)
    Certificate.objects.filter(pk=credential.certificate_id).update(not_after=end)
    credential.refresh_from_db()
    assert credential.expires_at == end
    other.refresh_from_db()
    assert other.expires_at == other.certificate.not_after


def test_the_migration_takes_the_ends_of_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    migration = import_module("portal.migrations.0008_credential_lists")
    monkeypatch.setattr(migration, "BATCH", 2)
    made = make_many_credentials(make_project(), 5)
    Credential.objects.update(expires_at=None)
    migration.take_ends(apps, None)
    found = Credential.objects.filter(pk__in=[one.pk for one in made], expires_at=models.F("certificate__not_after"))
    assert found.count() == 5
