"""The hierarchy that tests are given: put back from one that was kept, it is as good as one that was made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import models, transaction
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from certauthority import revocation_lists
from certauthority.authorities import create_hierarchy, create_next_generation, newest_authority
from certauthority.models import Authority, Certificate, OcspResponder, PublicKey, RevocationList, TrustedAuthority
from certauthority.models.authority import AuthorityPurpose
from certauthority.ocsp import responders
from certauthority.signers import key_path
from tests import kept_hierarchy

pytestmark = pytest.mark.django_db

MODELS: list[type[models.Model]] = [
    *(Certificate, Authority, OcspResponder, PublicKey, TrustedAuthority, RevocationList, AuditEvent)
]


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_hierarchy, "_kept", {})


@contextmanager
def database_of_a_test() -> Iterator[None]:
    """Empty at the beginning, and again at the end."""
    with transaction.atomic():
        kept_hierarchy.put_or_make()
        yield
        transaction.set_rollback(True)


def everything() -> list[list[dict[str, object]]]:
    """What the rows say, without the numbers that the database gave them."""
    return [
        [{name: value for name, value in kept_hierarchy._fields(row).items() if name != "id"} for row in rows]
        for rows in (model._default_manager.order_by("pk") for model in MODELS)
    ]


def test_what_is_put_back_says_the_same_and_works() -> None:
    with database_of_a_test():
        made = everything()
    assert [len(rows) for rows in made] == [8, 4, 4, 8, 1, 4, 8]
    with database_of_a_test():
        assert everything() == made
        now = timezone.now()
        assert create_hierarchy(begin=now, now=now) == []
        assert {responders.problem(authority, now=now) for authority in Authority.objects.all()} == {""}
        published = revocation_lists.publish(newest_authority(AuthorityPurpose.KMP), now=now)
        assert published is not None
        assert published.number == 2
        assert create_next_generation(AuthorityPurpose.KMP, now=now).name == "kmp-g2"
    key_path("kmp-g2").unlink()
    key_path("kmp-g2.ocsp").unlink()


def test_what_a_test_changes_is_not_kept() -> None:
    with database_of_a_test():
        pass
    with database_of_a_test():
        Certificate.objects.update(not_after=timezone.now(), subject="CN=Changed")
        assert newest_authority(AuthorityPurpose.KMP).certificate.subject == "CN=Changed"
    with database_of_a_test():
        assert newest_authority(AuthorityPurpose.KMP).certificate.subject != "CN=Changed"
        assert not Certificate.objects.filter(not_after__lte=timezone.now()).exists()


@pytest.mark.parametrize("reason", ["another address", "a lost key", "too old"])
def test_what_no_longer_holds_is_made_anew(reason: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with database_of_a_test():
        before = newest_authority(AuthorityPurpose.DEVELOPERS).certificate.fingerprint
    match reason:
        case "another address":
            settings.SITE_URL = "https://elsewhere.example"
        case "a lost key":
            key_path("developers").unlink()
        case _:
            monkeypatch.setattr(kept_hierarchy, "KEPT_FOR", timedelta(0))
    with database_of_a_test():
        newest = newest_authority(AuthorityPurpose.DEVELOPERS)
        assert newest.certificate.fingerprint != before
        assert revocation_lists.current(newest) is not None
