"""The figures' own arithmetic."""

import pytest

from bench.report import percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 10), (95, 19), (99, 20), (100, 20)], ids=["1", "50", "95", "99", "100"]
)
def test_a_percentile_is_the_value_at_the_nearest_rank(percent: float, expected: float) -> None:
    assert percentile(list(range(20, 0, -1)), percent) == expected


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([0.25], 95) == 0.25


def test_there_is_no_percentile_of_no_values() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 95)


@pytest.mark.parametrize("percent", [0, 101], ids=["none", "more-than-all"])
def test_a_percentile_lies_between_0_and_100(percent: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        percentile([1.0], percent)
