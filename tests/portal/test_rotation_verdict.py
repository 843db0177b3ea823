"""Whether the old certificate of a rotation may be revoked: the rule alone, by uses and moments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from certauthority.use import HourOfUse
from connect.recent_use import Seen, lasting
from portal.rotation import longest_pause
from portal.rotation_verdict import Side, VerdictCode, verdict_of, without_successor

NOW = datetime(2027, 1, 4, 14, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ago(**parts: float) -> datetime:
    return NOW - timedelta(**parts)


def used(first: datetime | None, last: datetime | None, *addresses: str, calls: int = 0, refused: int = 0) -> Seen:
    return Seen(NOW, first, last, calls=calls, refused=refused, addresses=addresses)


def old(seen: Seen, **fields: object) -> Side:
    return Side(alias="old-one", seen=seen, **fields)  # type: ignore[arg-type]  # each test names its own


def new(seen: Seen, **fields: object) -> Side:
    return Side(alias="new-one", seen=seen, **fields)  # type: ignore[arg-type]  # each test names its own


NEVER = used(None, None)
LONG_AGO = used(ago(days=90), ago(days=9))
IN_USE = used(ago(days=53), ago(minutes=3))


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (old(LONG_AGO), new(IN_USE), VerdictCode.SAFE),
        (old(NEVER), new(IN_USE), VerdictCode.SAFE),
        (old(IN_USE, is_expired=True), new(NEVER), VerdictCode.OLD_EXPIRED),
        (old(IN_USE, ended_at=ago(days=1)), new(IN_USE), VerdictCode.OLD_ENDED),
        (old(LONG_AGO), new(IN_USE, ended_at=ago(days=1)), VerdictCode.NEW_ENDED),
        (old(LONG_AGO), new(IN_USE, is_expired=True), VerdictCode.NEW_EXPIRED),
        (old(NEVER), new(NEVER), VerdictCode.NEITHER_USED),
        (old(LONG_AGO), new(NEVER), VerdictCode.NEW_UNUSED),
        (old(used(ago(days=9), ago(minutes=59))), new(IN_USE), VerdictCode.OLD_IN_USE),
        (old(used(ago(days=9), ago(minutes=59))), new(used(ago(minutes=9), NOW)), VerdictCode.OLD_SILENT_BRIEFLY),
        (old(used(ago(days=9), ago(hours=2))), new(used(ago(days=9), ago(hours=3))), VerdictCode.OLD_USED_LAST),
        (old(used(ago(days=9), ago(hours=2)), longest_pause=9 * HOUR), new(IN_USE), VerdictCode.OLD_MAY_COME_BACK),
    ],
    ids=lambda value: value.value if isinstance(value, VerdictCode) else "",
)
def test_each_verdict_has_its_facts(before: Side, after: Side, code: VerdictCode) -> None:
    verdict = verdict_of(before, after)
    assert verdict.code == code
    assert verdict.is_safe == (code in {VerdictCode.SAFE, VerdictCode.OLD_EXPIRED})
    assert (verdict.meaning == "ok") == (code in {VerdictCode.SAFE, VerdictCode.OLD_EXPIRED, VerdictCode.OLD_ENDED})


def test_the_three_sentences_of_the_report() -> None:
    assert verdict_of(old(LONG_AGO), new(IN_USE)).title == "Safe to revoke the old certificate"
    busy = used(ago(days=9), ago(minutes=5), "10.0.0.5", "10.0.0.6", "10.0.0.7", calls=3)
    assert verdict_of(old(busy), new(IN_USE)).title == "Still in use: 3 calls in the last hour from 10.0.0.5 and 2 more"
    assert verdict_of(old(LONG_AGO), new(NEVER)).title == "The new certificate has not been used yet"


@pytest.mark.parametrize(
    ("silence", "code"),
    [
        (HOUR - timedelta(seconds=1), VerdictCode.OLD_IN_USE),
        (HOUR, VerdictCode.SAFE),
        (HOUR + timedelta(seconds=1), VerdictCode.SAFE),
    ],
    ids=["a second less", "an hour", "a second more"],
)
def test_an_hour_of_silence_is_a_whole_hour(silence: timedelta, code: VerdictCode) -> None:
    assert verdict_of(old(used(ago(days=9), NOW - silence)), new(IN_USE)).code == code


def test_a_call_with_the_new_one_must_come_after_the_last_with_the_old_one() -> None:
    last = ago(hours=5)
    before = old(used(ago(days=9), last))
    assert verdict_of(before, new(used(ago(days=2), last))).code == VerdictCode.OLD_USED_LAST
    assert verdict_of(before, new(used(ago(days=2), last + timedelta(seconds=1)))).code == VerdictCode.SAFE


@pytest.mark.parametrize(
    ("silent_hours", "code"), [(24, VerdictCode.OLD_MAY_COME_BACK), (25, VerdictCode.SAFE)], ids=["shorter", "longer"]
)
def test_it_must_be_silent_for_an_hour_longer_than_it_has_paused_before(silent_hours: int, code: VerdictCode) -> None:
    """A job that runs once a day pauses for 24 hours."""
    last = ago(hours=silent_hours)
    verdict = verdict_of(old(used(ago(days=9), last), longest_pause=24 * HOUR), new(IN_USE))
    assert verdict.code == code
    assert verdict.safe_at == (last + 25 * HOUR if code == VerdictCode.OLD_MAY_COME_BACK else None)


def test_brief_silence_says_until_when_to_wait() -> None:
    verdict = verdict_of(old(used(ago(days=9), ago(minutes=12))), new(used(ago(minutes=9), NOW)))
    assert verdict.title == "The old certificate has been silent for 12 minutes only"
    assert verdict.safe_at == ago(minutes=12) + HOUR
    assert "4 January 2027 at 14:53 UTC" in verdict.text


def test_refused_calls_of_an_unused_new_one_are_told() -> None:
    assert "2 calls with it were refused" in verdict_of(old(LONG_AGO), new(used(None, None, refused=2))).text
    assert "refused" not in verdict_of(old(LONG_AGO), new(NEVER)).text


@pytest.mark.parametrize(
    ("after", "sentence", "meaning"),
    [
        (new(IN_USE), "The rotation is done.", "ok"),
        (new(NEVER), "has not been used yet", "warn"),
        (new(IN_USE, is_expired=True), "cannot be used any more either", "warn"),
        (new(IN_USE, ended_at=ago(days=1)), "cannot be used any more either", "warn"),
    ],
    ids=["in use", "unused", "expired", "ended"],
)
def test_after_the_end_of_the_old_one_the_new_one_is_looked_at(after: Side, sentence: str, meaning: str) -> None:
    verdict = verdict_of(old(LONG_AGO, ended_at=ago(days=2), ended_label="Revoked"), after)
    assert verdict.title == "The old certificate has ended: revoked"
    assert "Revoked on 2 January 2027 at 14:05 UTC." in verdict.text
    assert sentence in verdict.text
    assert verdict.meaning == meaning


def test_an_expired_old_one_tells_what_the_new_one_lacks() -> None:
    expired = old(LONG_AGO, is_expired=True)
    assert "add a new certificate" in verdict_of(expired, new(IN_USE, is_expired=True)).text
    assert "move your code over" in verdict_of(expired, new(NEVER)).text
    assert verdict_of(expired, new(IN_USE)).text.endswith("refused already.")


def test_without_a_successor_its_own_use_is_told() -> None:
    assert without_successor(old(LONG_AGO)).text.startswith(
        "It was last used on 26 December 2026 at 14:05 UTC, 9 days ago."
    )
    assert without_successor(old(NEVER)).text.startswith("It has never been used")
    assert without_successor(old(IN_USE)).title == "Still in use: 1 call in the last hour"
    assert without_successor(old(LONG_AGO, is_expired=True)).is_safe
    assert not without_successor(old(LONG_AGO)).is_safe


def test_pauses_are_counted_between_hours_with_accepted_calls() -> None:
    calls = ((98, 1), (97, 1), (80, 0), (73, 1), (50, 1), (49, 1))
    hours = [HourOfUse(ago(hours=at), accepted, 1 - accepted) for at, accepted in calls]
    assert longest_pause(hours) == 24 * HOUR
    assert longest_pause([*hours, HourOfUse(ago(hours=20), 1, 0)]) == 29 * HOUR


def test_use_on_fewer_than_three_days_is_no_rhythm() -> None:
    hours = [HourOfUse(ago(days=days), 1, 0) for days in (9, 6, 2)]
    assert longest_pause(hours) == timedelta(days=4)
    assert longest_pause(hours[:2]) == longest_pause([]) == timedelta()


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=3, minutes=12), "3 hours 12 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(days=1, hours=1, minutes=9), "1 day 1 hour"),
        (timedelta(days=44, minutes=59), "44 days"),
    ],
    ids=str,
)
def test_durations_have_two_units(duration: timedelta, words: str) -> None:
    assert lasting(duration) == words


def test_a_job_that_runs_each_hour_is_not_taken_for_silent_between_two_runs() -> None:
    """Called in hour after hour, it may pause for an hour and some seconds."""
    hours = [HourOfUse(ago(hours=at), 1, 0) for at in range(72, 1, -1)]
    assert longest_pause(hours) == HOUR
    last = ago(hours=1, seconds=20)
    verdict = verdict_of(old(used(ago(days=9), last), longest_pause=longest_pause(hours)), new(IN_USE))
    assert verdict.code == VerdictCode.OLD_MAY_COME_BACK
    assert verdict.safe_at == last + 2 * HOUR


def test_brief_silence_names_the_time_that_its_moment_stands_for() -> None:
    after = new(used(ago(minutes=9), NOW))
    assert "Wait until a whole hour has passed" in verdict_of(old(used(ago(days=9), ago(minutes=12))), after).text
    verdict = verdict_of(old(used(ago(days=9), ago(minutes=12)), longest_pause=14 * HOUR), after)
    assert verdict.code == VerdictCode.OLD_SILENT_BRIEFLY
    assert "Wait until the old one has been silent for 15 hours, an hour longer than the 14 hours" in verdict.text
    assert "5 January 2027 at 04:53 UTC" in verdict.text


def test_one_that_is_not_valid_yet_takes_nothing_over() -> None:
    """Possible where a company’s clock was ahead, and started over."""
    verdict = verdict_of(old(LONG_AGO), new(IN_USE, is_not_yet_valid=True))
    assert verdict.code == VerdictCode.NEW_NOT_YET_VALID
    assert not verdict.is_safe
