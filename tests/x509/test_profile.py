from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certauthority.x509.errors import ProfileError
from certauthority.x509.profile import Profile, add_months, new_serial
from tests.x509.certificates_made import CLIENT, ISSUING

TIMES = st.datetimes(datetime(1950, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # made aware


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"is_ca": True}, "keyCertSign"),
        ({"months": 0}, "0 months"),
        ({"months": -1}, "-1 months"),
        ({"months": 1201}, "1201 months"),
        ({"extended_key_usage": ()}, "must name its purpose"),
        ({"extended_key_usage": ("clientAuth", "clientAuth")}, "once"),
        ({"extended_key_usage": ("anyExtendedKeyUsage",)}, "no purpose of ours"),
        ({"key_usage": ()}, "at least one"),
        ({"key_usage": ("digitalSignature", "keyCertSign")}, "for CAs only"),
        ({"key_usage": ("digitalSignature", "cRLSign")}, "for CAs only"),
        ({"key_usage": ("keyEncipherment",)}, "needs digitalSignature"),
        ({"key_usage": ("digitalSignature", "digitalSignature")}, "once"),
        ({"key_usage": ("signing",)}, "no key usage"),
        ({"path_length": 0}, "only a CA has a path length"),
        ({"crl_url": "https://localhost/ca/x.crl"}, "begins with http://"),
        ({"crl_url": "http://localhost/a b"}, "no spaces"),
        ({"ocsp_url": "ldap://localhost"}, "begins with http://"),
        ({"ca_issuer_url": "http://localhost/\n"}, "no spaces"),
    ],
)
def test_a_client_profile_refuses_what_makes_no_sense(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        replace(CLIENT, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key_usage": ("cRLSign",)}, "keyCertSign"),
        ({"key_usage": ("keyCertSign",)}, "cRLSign"),
        ({"path_length": -1}, "0 or more"),
    ],
)
def test_a_ca_profile_refuses_what_makes_no_sense(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ProfileError, match=reason):
        replace(ISSUING, **changes)


def test_addresses_may_be_left_out() -> None:
    profile = Profile("client", False, None, ("digitalSignature",), ("clientAuth",), 13)

    assert (profile.crl_url, profile.ca_issuer_url, profile.ocsp_url) == ("", "", "")


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-11-21T10:00:00+00:00", 13, "2027-12-21T10:00:00+00:00"),
        ("2026-01-31T23:59:59+00:00", 1, "2026-02-28T23:59:59+00:00"),
        ("2028-01-31T00:00:00+00:00", 1, "2028-02-29T00:00:00+00:00"),
        ("2028-02-29T12:00:00+00:00", 12, "2029-02-28T12:00:00+00:00"),
        ("2028-02-29T12:00:00+00:00", 48, "2032-02-29T12:00:00+00:00"),
        ("2027-01-31T12:00:00+00:00", 13, "2028-02-29T12:00:00+00:00"),
        ("2026-12-01T00:00:00+00:00", 1, "2027-01-01T00:00:00+00:00"),
        ("2099-12-31T00:00:00+00:00", 2, "2100-02-28T00:00:00+00:00"),
    ],
)
def test_months_are_those_of_the_calendar(start: str, months: int, end: str) -> None:
    assert add_months(datetime.fromisoformat(start), months) == datetime.fromisoformat(end)


def test_months_are_counted_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))

    # In UTC this is still 31 January.
    assert add_months(datetime(2026, 2, 1, 8, tzinfo=tokyo), 1) == datetime(2026, 2, 28, 23, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        add_months(datetime(2026, 1, 1), 1)  # noqa: DTZ001  # the point of the test


@given(TIMES, st.integers(1, 1200))
def test_the_end_is_in_the_right_month_and_never_on_a_later_day(start: datetime, months: int) -> None:
    end = add_months(start, months)

    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert end.day <= start.day
    assert end.time() == start.time()


@given(TIMES)
def test_thirteen_months_are_393_to_398_days(start: datetime) -> None:
    # 396 to 398 as a rule, and less where the day is cut off: 31 January to 28 February.
    assert 393 <= (add_months(start, 13) - start).days <= 398


def test_serial_numbers_are_positive_random_and_at_most_20_octets() -> None:
    serials = {new_serial() for _ in range(10_000)}

    assert len(serials) == 10_000
    assert min(serials) > 0
    assert max(serials) < 2**159
    # With 159 random bits one in two has the highest bit set; in ten thousand a fifth off would be a broken source.
    assert 4_000 < sum(serial >= 2**158 for serial in serials) < 6_000
