"""What `make check` says of migrations: new findings fail, accepted ones do not, idle acceptances do."""

from __future__ import annotations

from django.db.migrations.loader import MigrationLoader

from tools.lint_migrations import ACCEPTED, APPS, problems


def test_a_new_finding_is_a_problem() -> None:
    assert problems({"portal.0099_new": ["NOT_NULL: constraint"]}, {}) == ["portal.0099_new: NOT_NULL: constraint"]


def test_an_accepted_finding_is_none() -> None:
    assert problems({"portal.0001_initial": ["CREATE_INDEX: locks"]}, {"portal.0001_initial": "reason"}) == []


def test_an_acceptance_that_nothing_needs_is_one() -> None:
    assert "nothing is found in it" in problems({}, {"portal.0001_initial": "reason"})[0]


def test_what_is_accepted_is_there_and_has_a_reason() -> None:
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).graph.nodes if app in APPS}
    assert set(ACCEPTED) <= known
    assert all(ACCEPTED.values())
