"""Issuing under load: who began together, what all did together, and whether what was answered is stored."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Mapping

import pytest

from bench.load.issuing import agreement
from bench.load.issuing_clients import Load, Turn, Way, by_way, in_turns, together
from bench.load.issuing_form import hidden_fields
from config.collecting import THRESHOLDS


def turn(way: str, begin: float, *each: float) -> Turn:
    return Turn(way, begin, begin + sum(each), each, tuple(f"{way}-{begin}-{number}" for number in range(len(each))))


def test_work_is_counted_from_the_first_beginning_to_the_last_end() -> None:
    load = together([[turn("a", 10.0, 1.0, 1.0), turn("a", 11.0, 2.0, 1.0)]])
    assert load == Load(rate=1.0, p50=1000.0, p99=2000.0)
    assert str(load) == "1/s, p50 1000.0 ms, p99 2000.0 ms"


def test_each_way_has_a_load_of_its_own_turns() -> None:
    one = [turn("a", 0.0, 0.25, 0.25), turn("b", 5.0, 0.5), turn("a", 9.0, 0.5)]
    other = [turn("a", 0.0, 0.5), turn("b", 5.0, 1.0), turn("a", 9.0, 0.25)]
    loads = by_way([one, other])
    assert {way: load.rate for way, load in loads.items()} == {"a": 5.0, "b": 2.0}
    assert loads["b"].p50 == 500.0


def ways(number: int) -> Mapping[str, Way]:
    """A client that answers with its own number, and fails at what it cannot read."""
    return {
        "count": Way(lambda count: [str(one).encode() for one in range(count)], lambda one: f"{number}:{one.decode()}"),
        "fail": Way(lambda count: [b"x"] * count, lambda one: str(int(one) + number)),
    }


def test_every_client_takes_every_turn_in_a_process_of_its_own() -> None:
    found = in_turns(ways, 3, [("count", 2), ("count", 1)])
    assert [[one.answers for one in turns] for turns in found] == [
        [(f"{number}:0", f"{number}:1"), (f"{number}:0",)] for number in range(3)
    ]
    ends, begins = (max(turns[0].end for turns in found), min(turns[1].begin for turns in found))
    assert ends <= begins  # Nobody begins the second turn before all have ended the first.


def test_a_client_that_fails_ends_all_and_says_why() -> None:
    with pytest.raises(RuntimeError, match="could not do its work") as failure:
        in_turns(ways, 2, [("count", 1), ("fail", 1)])
    assert isinstance(failure.value.__cause__, ValueError)


def what_is_looked_through(number: int) -> Mapping[str, Way]:
    return {"ask": Way(lambda count: [b""] * count, lambda _: f"{gc.get_threshold()} {gc.get_freeze_count() > 0}")}


def test_clients_look_for_what_is_left_over_as_seldom_as_a_web_server() -> None:
    before = gc.get_threshold()
    found = in_turns(what_is_looked_through, 2, [("ask", 1)])
    assert [turns[0].answers for turns in found] == [(f"{THRESHOLDS} True",)] * 2
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(
    ("answers", "stored", "good"),
    [
        (["1a", "form-x"], [("1a", "ALIAS-1", "k1"), ("2b", "form-x", "k2")], True),
        (["1a", "2b"], [("1a", "ALIAS-1", "k1")], False),
        (["1a"], [("1a", "ALIAS-1", "k1"), ("2b", "ALIAS-2", "k2")], False),
        (["1a", "1a"], [("1a", "ALIAS-1", "k1"), ("2b", "ALIAS-2", "k2")], False),
        (["1a", "2b"], [("1a", "ALIAS-1", "k1"), ("2b", "ALIAS-2", "k1")], False),
    ],
    ids=["agree", "one-lost", "one-too-many", "answered-twice", "a-key-twice"],
)
def test_answers_and_certificates_must_be_the_same(
    answers: list[str], stored: list[tuple[str, str, str]], *, good: bool
) -> None:
    assert agreement(Counter(answers), stored).good is good


def test_the_hidden_fields_of_a_form_are_read() -> None:
    page = '<input type="hidden" name="submission" value="1&amp;2" id="s"><input name="alias"><p>submission</p>'
    assert hidden_fields(page) == {"submission": "1&2", "alias": ""}
