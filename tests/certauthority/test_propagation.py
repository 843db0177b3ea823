"""How a certificate becomes known, step by step: every sentence from the facts behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certauthority.propagation import (
    GRACE,
    WATCHED,
    Facts,
    Propagation,
    SeenOnce,
    State,
    Step,
    later,
    next_hourly,
    propagation_of,
)

ISSUED = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
REVOKED = ISSUED + timedelta(days=3)
LIVE = Facts(
    now=ISSUED + timedelta(minutes=5),
    judged_at=ISSUED + timedelta(minutes=5),
    issuer="Developers CA",
    is_ours=True,
    recorded_at=ISSUED,
    not_after=ISSUED + timedelta(days=395),
    first_used_at=None,
    calls=(),
    calls_are_all=True,
    has_responder=True,
    response_at=None,
    is_settled=True,
    revoked_at=None,
    reason="",
    on_crl_at=None,
    crl_number=None,
    crl_url="/ca/developers.crl",
    next_crl_at=ISSUED + timedelta(days=3, minutes=7),
)
GONE = replace(LIVE, now=REVOKED + timedelta(seconds=5), revoked_at=REVOKED, reason="Key compromise")


def call(at: datetime, *, accepted: bool, label: str = "", address: str = "10.0.0.5") -> SeenOnce:
    return SeenOnce(at, accepted, label or ("Accepted" if accepted else "Revoked"), address)


def step(found: Propagation, title: str) -> Step:
    (one,) = (step for step in found.steps if step.title == title)
    return one


def titles(found: Propagation) -> list[str]:
    return [step.title for step in found.steps]


def test_a_fresh_certificate_waits_for_its_first_call() -> None:
    found = propagation_of(LIVE)
    assert titles(found) == ["Issued", "Endpoint accepts it", "OCSP answers “good”"]
    issued, endpoint, ocsp = found.steps
    assert (issued.state, issued.at, issued.text) == (State.DONE, ISSUED, "By Developers CA.")
    assert (endpoint.state, endpoint.at, endpoint.link) == (State.WAITING, None, "#try-it")
    assert (ocsp.state, ocsp.at) == (State.DONE, None)
    assert "Signed for each who asks" in ocsp.text
    assert found.is_moving


def test_once_it_was_used_and_a_response_is_ready_nothing_moves() -> None:
    used_at, made_at = ISSUED + timedelta(seconds=0.4), ISSUED + timedelta(seconds=40)
    found = propagation_of(
        replace(LIVE, first_used_at=used_at, response_at=made_at, calls=[call(used_at, accepted=True)])
    )
    endpoint, ocsp = found.steps[1:]
    assert (endpoint.state, endpoint.at, endpoint.later) == (State.DONE, used_at, "0.4 s later")
    assert ocsp.at == made_at
    assert not found.is_moving


def test_a_response_that_never_comes_is_not_waited_for_forever() -> None:
    used = replace(LIVE, first_used_at=ISSUED)
    assert propagation_of(replace(used, now=ISSUED + WATCHED - timedelta(seconds=1))).is_moving
    assert not propagation_of(replace(used, now=ISSUED + WATCHED)).is_moving


def test_a_refused_one_says_what_the_endpoint_said() -> None:
    at = ISSUED + timedelta(minutes=2)
    found = propagation_of(replace(LIVE, calls=[call(at, accepted=False, label="Not on any project")]))
    refused = step(found, "Endpoint refuses it")
    assert (refused.state, refused.at) == (State.WRONG, at)
    assert "“Not on any project”" in refused.text
    assert "10.0.0.5" in refused.text
    assert found.is_moving


def test_an_accepted_one_that_was_refused_since_says_both() -> None:
    calls = [call(ISSUED + timedelta(minutes=3), accepted=False, label="Wrong environment", address="10.0.0.9")]
    endpoint = propagation_of(replace(LIVE, first_used_at=ISSUED + timedelta(minutes=1), calls=calls)).steps[1]
    assert (endpoint.state, endpoint.later) == (State.DONE, "1 min later")
    assert "“Wrong environment”, from 10.0.0.9" in endpoint.text


def test_without_a_responder_ocsp_is_waited_for() -> None:
    ocsp = propagation_of(replace(LIVE, has_responder=False)).steps[2]
    assert (ocsp.state, "worker and beat" in ocsp.text) == (State.WAITING, True)


def test_another_ca_answers_for_its_own() -> None:
    found = propagation_of(replace(LIVE, is_ours=False, issuer="Other CA", first_used_at=ISSUED))
    assert titles(found) == ["Added", "Endpoint accepts it", "OCSP and CRL"]
    assert found.steps[2].state == State.ELSEWHERE
    assert "Other CA runs OCSP" in found.steps[2].text
    assert not found.is_moving


def test_an_expired_one_is_told_by_the_clock_that_judges_it() -> None:
    assert "Expired" not in titles(propagation_of(replace(LIVE, judged_at=LIVE.not_after)))
    found = propagation_of(replace(LIVE, judged_at=LIVE.not_after + timedelta(seconds=1)))
    assert step(found, "Expired").at == LIVE.not_after


def test_revoked_it_is_refused_and_told_by_ocsp_at_once_and_waits_for_the_crl() -> None:
    found = propagation_of(GONE)
    assert titles(found) == ["Revoked", "Refused at the endpoint", "OCSP says “revoked”", "On the CRL"]
    assert [step.state for step in found.steps] == [State.DONE, State.DONE, State.DONE, State.WAITING]
    assert [step.later for step in found.steps] == ["", "at once", "at once", ""]
    assert "“Key compromise”" in found.steps[0].text
    assert found.steps[3].until == GONE.next_crl_at
    assert found.is_moving


def test_the_first_refused_call_is_told_with_its_time() -> None:
    calls = [
        call(REVOKED + timedelta(seconds=9), accepted=False, address="10.0.0.7"),
        call(REVOKED + timedelta(seconds=0.8), accepted=False),
        call(REVOKED - timedelta(seconds=2), accepted=True),
    ]
    refused = propagation_of(replace(GONE, calls=calls)).steps[1]
    assert (refused.state, refused.at, refused.later) == (State.DONE, calls[1].at, "0.8 s later")
    assert "First refused call: from 10.0.0.5, “Revoked”" in refused.text
    assert "Oldest kept" in propagation_of(replace(GONE, calls=calls, calls_are_all=False)).steps[1].text


def test_a_call_accepted_after_the_revocation_is_never_hidden() -> None:
    moment = REVOKED + GRACE
    assert propagation_of(replace(GONE, calls=[call(moment, accepted=True)])).steps[1].state == State.DONE
    at = moment + timedelta(milliseconds=1)
    wrong = propagation_of(replace(GONE, calls=[call(at, accepted=True)])).steps[1]
    assert (wrong.title, wrong.state, wrong.at) == ("Accepted at the endpoint", State.WRONG, at)


def test_ocsp_waits_while_redis_may_hold_an_old_response() -> None:
    ocsp = step(propagation_of(replace(GONE, is_settled=False)), "OCSP says “revoked”")
    assert (ocsp.state, ocsp.at) == (State.WAITING, None)
    assert "Tried again every minute" in ocsp.text


@pytest.mark.parametrize(
    ("response_after", "sentence"),
    [
        (None, "each is signed anew"),
        (0, "stands in its place"),
        (-1, "each is signed anew"),
        (30, "stands in its place"),
    ],
)
def test_ocsp_tells_whether_the_response_made_ahead_was_replaced(response_after: int | None, sentence: str) -> None:
    at = None if response_after is None else REVOKED + timedelta(seconds=response_after)
    ocsp = step(propagation_of(replace(GONE, response_at=at)), "OCSP says “revoked”")
    assert sentence in ocsp.text
    assert ocsp.until == REVOKED + timedelta(hours=24)
    assert ocsp.is_moving == (sentence == "each is signed anew")
    assert step(propagation_of(replace(GONE, now=REVOKED + timedelta(hours=24))), ocsp.title).until is None


def test_the_crl_is_told_with_its_number_and_then_nothing_moves() -> None:
    listed = replace(GONE, on_crl_at=REVOKED + timedelta(seconds=2), crl_number=41, response_at=REVOKED)
    crl = step(propagation_of(listed), "On the CRL")
    assert (crl.state, crl.later, crl.text) == (State.DONE, "2.0 s later", "With number 41 of Developers CA.")
    assert crl.link == "/ca/developers.crl"
    assert "number" not in step(propagation_of(replace(listed, crl_number=None)), "On the CRL").text
    assert propagation_of(listed).is_moving, "a first refused call may still come"
    assert not propagation_of(replace(listed, now=REVOKED + WATCHED)).is_moving
    seen = replace(listed, calls=[call(REVOKED + timedelta(seconds=3), accepted=False)])
    assert not propagation_of(seen).is_moving


def test_of_several_crls_the_one_is_told_that_the_certificate_names() -> None:
    listed = replace(
        GONE, on_crl_at=REVOKED + timedelta(seconds=2), crl_number=41, crl_shard=3, crl_url="/ca/developers/3.crl"
    )
    crl = step(propagation_of(listed), "On the CRL")
    assert crl.text == "With number 41 of Developers CA. It is list 3, the one that the certificate names."
    assert crl.link == "/ca/developers/3.crl"
    assert (crl.until_text, crl.until) == ("The full list of all has it from", REVOKED + timedelta(minutes=7))
    assert step(propagation_of(replace(listed, now=REVOKED + timedelta(minutes=7))), "On the CRL").until is None
    assert step(propagation_of(replace(listed, crl_shard=None)), "On the CRL").until is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-2, "at once"),
        (0.04, "at once"),
        (0.05, "0.1 s later"),
        (9.94, "9.9 s later"),
        (12, "12 s later"),
        (60, "1 min later"),
        (7199, "119 min later"),
        (7200, "2 hours later"),
        (172_799, "47 hours later"),
        (172_800, "2 days later"),
    ],
)
def test_how_much_later(seconds: float, words: str) -> None:
    assert later(ISSUED, ISSUED + timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("now", "at"),
    [
        (datetime(2027, 1, 4, 9, 6, 59, tzinfo=UTC), datetime(2027, 1, 4, 9, 7, tzinfo=UTC)),
        (datetime(2027, 1, 4, 9, 7, tzinfo=UTC), datetime(2027, 1, 4, 10, 7, tzinfo=UTC)),
        (datetime(2027, 12, 31, 23, 30, tzinfo=UTC), datetime(2028, 1, 1, 0, 7, tzinfo=UTC)),
    ],
    ids=["before", "at", "over midnight"],
)
def test_the_next_hourly_crl(now: datetime, at: datetime) -> None:
    assert next_hourly(7, now=now) == at
