"""What the rows and steps on `Project summary` say, and that everything from outside stands there as text."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from certauthority.models import Certificate
from connect.lifecycle import Status
from portal.credentials import Row
from portal.guided_rotation import Action, Guide, Step
from portal.models import Credential, Project
from portal.rotation_verdict import Verdict, VerdictCode
from portal.templatetags.project_page import certificates_in_words, steps_of

PROJECT = Project(id=uuid.UUID(int=7), name="Checkout")
MARKUP, SHOWN = "<b>'&\u202e", "&lt;b&gt;&#x27;&amp;<mark"
AT = datetime(2027, 1, 4, 12, 30, tzinfo=UTC)


def credential(**fields: Any) -> Credential:
    certificate = Certificate(
        common_name=fields.pop("common_name", "1-Client-MTF-654321"),
        not_before=datetime(2026, 1, 4, tzinfo=UTC),
        not_after=datetime(2027, 2, 3, tzinfo=UTC),
    )
    values = {"environment": "sandbox", "alias": "old", **fields}
    return Credential(id=uuid.uuid4(), project=PROJECT, certificate=certificate, **values)


def row(status: Status = Status.ACTIVE, successor: Credential | None = None, **fields: Any) -> Row:
    successors = (successor,) if successor is not None else ()
    return Row(credential(**fields), status, days_left=30, last_used_at=None, successors=successors)


def words(shown: Row, *, works_in_production: bool = True) -> str:
    return certificates_in_words([shown], PROJECT, works_in_production)


def steps(*, done: int = 0, may_rotate: bool = True, is_change: bool = True, text: str = "text") -> str:
    action = Action(f"Do {text}", "/do/?a=1&b=2", "plus", is_change=is_change)
    names: tuple[Literal["Add", "Switch", "Prove", "Revoke"], ...] = ("Add", "Switch", "Prove", "Revoke")
    made = [
        Step(name, number < done, text, text, at=AT if number < done else None, action=action)
        for number, name in enumerate(names)
    ]
    verdict = Verdict(VerdictCode.NEW_UNUSED, "warn", "Wait", "Wait.")
    return steps_of(Guide(row(alias=text), row(), verdict, (made[0], made[1], made[2], made[3])), may_rotate)


@pytest.mark.parametrize(
    ("status", "then"),
    [
        (Status.ACTIVE, "<span>Gap from <time"),
        (Status.EXPIRING_SOON, '<strong class="text-bad">Gap from <time'),
        (Status.EXPIRED, '<strong class="text-bad">No successor</strong>'),
    ],
    ids=["active", "expiring soon", "expired"],
)
def test_a_row_says_what_comes_then(status: Status, then: str) -> None:
    shown = words(row(status))
    assert f'<td data-label="Then">{then}' in shown
    assert ('<tr class="past">' in shown) == (status == Status.EXPIRED)
    taken_over = words(row(status, successor=credential(alias="new")))
    assert '<td data-label="Then"><span>new takes over</span></td>' in taken_over
    assert "<small>in rotation</small>" in taken_over
    assert "in rotation" not in shown


def test_only_production_waits_for_approval() -> None:
    note = "<small>does not work yet</small>"
    assert note in words(row(environment="production"), works_in_production=False)
    assert note not in words(row(environment="production"))
    assert note not in words(row(), works_in_production=False)
    assert note not in words(row(Status.EXPIRED, environment="production"), works_in_production=False)


def test_names_are_text() -> None:
    shown = words(row(alias=MARKUP, common_name=MARKUP, successor=credential(alias=MARKUP)))
    assert shown.count(SHOWN) == 3
    assert "<b>" not in shown


def test_what_is_done_is_ticked_and_the_next_has_its_button() -> None:
    shown = steps(done=2)
    assert shown.count('<li class="ok">') == 2
    assert shown.count("4 Jan 2027, 12:30 UTC") == 2
    assert shown.count('aria-current="step"') == 1
    assert shown.count('<a class="btn small" id="guide-prove-') == 1
    assert 'href="/do/?a=1&amp;b=2"' in shown
    assert steps(done=4).count('<li class="ok">') == 4
    assert "aria-current" not in steps(done=4)


def test_readers_get_no_button_that_changes_something() -> None:
    assert "btn" not in steps(may_rotate=False)
    assert "btn" in steps(may_rotate=False, is_change=False)


def test_titles_and_texts_are_text() -> None:
    shown = steps(text=MARKUP)
    assert "<b>" not in shown
    assert shown.count(SHOWN) == 8
