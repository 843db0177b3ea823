"""The guided rotation: add, switch, prove, revoke, ticked by what portal and endpoint see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from certauthority.models import Authority, ReasonCode
from portal.guided_rotation import Guide, guide_for, guides_of, state_of
from portal.models import Credential, Project
from portal.overview import ending_soon
from portal.summary_keys import MOST_ROTATIONS
from tests.factories import let_expire, make_credential, make_many_credentials
from tests.portal.credential_pages import credential_url, page_url
from tests.portal.rotation_calls import BATCH, called, end


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one")


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old)


def guide(credential: Credential) -> Guide:
    now = timezone.now()
    credential.refresh_from_db()
    found = guide_for(credential, now=now, company_now=now)
    assert found is not None
    return found


def ticks(credential: Credential) -> list[bool]:
    return [step.done for step in guide(credential).steps]


def next_url(credential: Credential) -> str:
    step = guide(credential).next
    assert step is not None
    assert step.action is not None
    return step.action.url


def test_the_four_steps_tick_themselves(project: Project, old: Credential) -> None:
    let_expire(old, in_days=10)
    assert ticks(old) == [False, False, False, False]
    assert next_url(old) == page_url("add_certificate", project, rotate=old.pk)
    new = make_credential(project, alias="new-one", predecessor=old)
    called(old, 500, 200)
    assert ticks(old) == [True, False, False, False]
    assert next_url(old) == f"{credential_url('credential', new)}#try-it"
    called(old, 30, address=BATCH)
    called(new, 100, 1)
    assert ticks(old) == [True, True, False, False]
    assert guide(old).headline == f"Still in use: 1 call in the last hour from {BATCH}"
    assert next_url(old) == credential_url("rotation_report", old)


def test_it_ends_with_safe_to_revoke_and_then_done(old: Credential, new: Credential) -> None:
    called(old, 500, 61)
    called(new, 60)
    for one in (old, new):
        assert ticks(one) == [True, True, True, False]
        assert guide(one).headline == "Safe to revoke the old certificate"
        assert next_url(one) == credential_url("credential_revoke", old)
    end(old)
    for one in (old, new):
        assert ticks(one) == [True, True, True, True]
        assert guide(one).headline == "The rotation is done"
        assert guide(one).next is None
        assert not guide(one).is_awaited


def test_a_call_with_the_old_one_opens_the_third_step_again(old: Credential, new: Credential) -> None:
    called(new, 60)
    assert ticks(old) == [True, True, True, False]
    called(old, 1)
    assert ticks(old) == [True, True, False, False]


def test_each_tick_has_its_moment(old: Credential, new: Credential) -> None:
    now = timezone.now()
    called(old, 500, 200, now=now)
    called(new, 300, 100, now=now)
    added, switched, proven, revoked = guide(old).steps
    assert added.at == new.created_at
    assert switched.at == now - timedelta(minutes=300)
    assert proven.at == now - timedelta(minutes=140)  # An hour after the last call with the old one.
    assert revoked.at is None
    end(old)
    old.refresh_from_db()
    assert guide(old).steps[3].at == old.ended_at


def test_a_revocation_without_proof_is_told(old: Credential, new: Credential) -> None:
    called(old, 5)
    end(old)
    found = guide(new)
    assert [step.done for step in found.steps] == [True, False, False, True]
    assert found.steps[2].title == "Not proven"
    called(new, 1)
    assert [step.done for step in guide(new).steps] == [True, True, False, True]


def test_it_is_not_called_done_while_the_new_one_cannot_be_seen_to_work(old: Credential, new: Credential) -> None:
    end(old)
    found = guide(new)
    assert (found.headline, found.is_well, found.is_awaited) == ("The new one has not been used yet", False, True)
    called(new, 1)
    found = guide(new)
    assert (found.headline, found.is_well, found.is_awaited) == ("The rotation is done", True, False)
    let_expire(new, in_days=-1)
    assert (guide(new).headline, guide(new).is_well) == ("The new one has expired", False)
    end(new)
    now = timezone.now()
    for one in (old, new):
        one.refresh_from_db()
        assert guide_for(one, now=now, company_now=now) is None


def test_a_rotation_stands_on_the_summary_once(project: Project, old: Credential, new: Credential) -> None:
    """Also where the new one has expired before the old one, which then has no successor any more."""
    now = timezone.now()
    let_expire(old, in_days=10)
    let_expire(new, in_days=-1)
    (found,) = guides_of(project, ending=ending_soon(project, now=now), now=now, company_now=now)
    assert found.headline == "new-one, which replaces it, has expired"


def test_what_had_been_proven_is_told_as_it_was(old: Credential, new: Credential) -> None:
    called(new, 1)
    end(old)
    assert guide(new).steps[2].text == "new-one was in use, and old-one had never been used."
    old.refresh_from_db()
    called(old, 130, now=old.ended_at)
    assert guide(new).steps[2].text == "new-one was in use, and old-one had been silent for 2 hours 10 minutes."


def test_a_silence_that_was_too_short_for_its_rhythm_was_no_proof(old: Credential, new: Credential) -> None:
    called(old, *(day * 24 * 60 + 130 for day in range(5)))
    called(new, 100)
    end(old)
    assert ticks(new) == [True, True, False, True]
    assert guide(new).steps[2].title == "Not proven"


def test_refused_calls_with_the_new_one_are_told_while_it_waits(old: Credential, new: Credential) -> None:
    assert guide(old).steps[1].text.startswith("Waiting for the first call with new-one.")
    called(new, 1, 2, reason=ReasonCode.WRONG_ENVIRONMENT)
    assert guide(old).steps[1].text.startswith("2 of its calls refused in the last hour")
    assert ticks(old) == [True, False, False, False]


def test_a_lone_certificate_has_a_guide_once_it_expires_soon(old: Credential) -> None:
    now = timezone.now()
    assert guide_for(old, now=now, company_now=now) is None
    assert guide_for(old, now=now, company_now=old.certificate.not_after - timedelta(days=30)) is not None
    end(old)
    old.refresh_from_db()
    assert guide_for(old, now=now, company_now=now) is None


def test_a_rotation_that_is_done_is_shown_for_a_day(project: Project, old: Credential, new: Credential) -> None:
    now = timezone.now()

    def shown() -> int:
        return len(guides_of(project, ending=(), now=now, company_now=now))

    end(old, days_ago=0.9)
    assert shown() == 1
    assert guide(new).is_done
    Credential.objects.filter(pk=old.pk).update(ended_at=now - timedelta(days=1, minutes=1))
    assert shown() == 0
    new.refresh_from_db()
    assert guide_for(new, now=now, company_now=now) is None


def test_once_its_successor_has_ended_a_certificate_begins_again(
    project: Project, old: Credential, new: Credential
) -> None:
    let_expire(old, in_days=10)
    end(new)
    assert ticks(old) == [False, False, False, False]
    now = timezone.now()
    (found,) = guides_of(project, ending=ending_soon(project, now=now), now=now, company_now=now)
    assert found.new is None


def test_a_project_shows_the_first_rotations_in_a_fixed_number_of_queries(
    project: Project, old: Credential, new: Credential
) -> None:
    now = timezone.now()

    def asked() -> tuple[int, list[Guide]]:
        with CaptureQueriesContext(connection) as queries:
            found = guides_of(project, ending=(), now=now, company_now=now)
        return len(queries), found

    before, found = asked()
    assert len(found) == 1
    olds, news = make_many_credentials(project, 9), make_many_credentials(project, 9)
    for one, other in zip(olds, news, strict=True):
        Credential.objects.filter(pk=other.pk).update(predecessor=one)
    after, found = asked()
    assert len(found) == MOST_ROTATIONS
    assert after == before


def test_what_is_done_makes_room_for_what_is_to_do(project: Project, old: Credential) -> None:
    now = timezone.now()
    for number in range(MOST_ROTATIONS):
        done = make_credential(project, alias=f"done-{number}")
        make_credential(project, alias=f"after-{number}", predecessor=done)
        end(done)
    let_expire(old, in_days=10)
    found = guides_of(project, ending=ending_soon(project, now=now), now=now, company_now=now)
    assert [one.is_done for one in found] == [False, True, True, True, True]
    assert found[0].old.credential == old


def test_the_state_changes_with_what_is_shown(old: Credential, new: Credential) -> None:
    now = timezone.now()

    def state() -> list[str]:
        found = guide_for(old, now=now, company_now=now)
        assert found is not None
        return state_of([found]).split(".")

    before = state()
    assert state() == before
    called(new, 1, reason=ReasonCode.WRONG_ENVIRONMENT, now=now)
    refused = state()
    assert refused[0] == before[0]
    assert refused[1] != before[1]
    called(new, 1, now=now)
    assert state()[0] != before[0]
