"""Ten failures lock an address for half an hour, whoever counts and whatever breaks."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEvent
from connect.sign_in_limit import SignInLimit, SignInLocked, SignInUncounted
from tests.factories import PASSWORD, make_user

ROOT = Path(__file__).resolve().parent.parent.parent
LOGIN = "/accounts/login/"
EMAIL = "person@company.example"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
IN_ANOTHER_PROCESS = """
import django
django.setup()
from django.utils import timezone
from connect.sign_in_limit import SignInLimit
limit = SignInLimit("person@company.example")
for _ in range(5):
    limit.begin(timezone.now())
    limit.failed(timezone.now())
"""


def attempt(email: str, password: str) -> tuple[bool, str]:
    """Whether the sign-in worked, and the page that answered."""
    response = Client().post(LOGIN, {"login": email, "password": password})
    return response.status_code == 302, response.content.decode()


def fail(limit: SignInLimit, times: int) -> None:
    for _ in range(times):
        limit.begin(NOW)
        limit.failed(NOW)


def own_cache() -> BaseCache:
    """The cache as another web process has it, with connections of its own."""
    return caches.create_connection("default")


def test_nine_failures_lock_nothing() -> None:
    limit = SignInLimit(EMAIL)
    fail(limit, 9)
    limit.begin(NOW)


def test_the_tenth_failure_locks_until_half_an_hour_later() -> None:
    limit = SignInLimit(EMAIL)
    fail(limit, 9)
    limit.begin(NOW)
    with pytest.raises(SignInLocked, match=r"locked until 12:30 UTC\. Try again then\."):
        limit.failed(NOW)
    later = NOW + timedelta(minutes=10)
    with pytest.raises(SignInLocked) as refusal:
        limit.begin(later)
    assert refusal.value.until == NOW + timedelta(minutes=30)


def test_attempts_while_locked_do_not_prolong_it() -> None:
    limit = SignInLimit(EMAIL)
    with pytest.raises(SignInLocked):
        fail(limit, 10)
    lock, seconds = _lock_and_seconds_left()
    own_cache().touch(lock, seconds - 600)
    with pytest.raises(SignInLocked):
        limit.begin(NOW)
    assert _lock_and_seconds_left()[1] <= seconds - 600


def test_when_the_lock_ends_ten_new_failures_are_allowed(settings: Settings) -> None:
    settings.SIGN_IN_LOCK_SECONDS = 2
    limit = SignInLimit(EMAIL)
    with pytest.raises(SignInLocked):
        fail(limit, 10)
    _wait_until_gone()
    settings.SIGN_IN_LOCK_SECONDS = 1800
    fail(limit, 9)


def test_the_count_is_forgotten_before_the_lock_so_that_it_cannot_lock_again() -> None:
    limit = SignInLimit(EMAIL)
    with pytest.raises(SignInLocked):
        fail(limit, 10)
    seconds = {key.split(":")[2]: left for key, left in _keys_and_seconds_left()}
    assert seconds["sign-in-count"] < seconds["sign-in-lock"] <= settings.SIGN_IN_LOCK_SECONDS


def test_every_key_ends_by_itself() -> None:
    fail(SignInLimit(EMAIL), 1)
    assert [0 < left <= settings.SIGN_IN_LOCK_SECONDS for _, left in _keys_and_seconds_left()] == [True]


def test_a_success_forgets_the_failures_before_it() -> None:
    limit = SignInLimit(EMAIL)
    fail(limit, 9)
    limit.begin(NOW)
    limit.succeeded()
    fail(limit, 9)


def test_two_web_processes_count_together() -> None:
    first, second = SignInLimit(EMAIL, store=own_cache()), SignInLimit(EMAIL, store=own_cache())
    fail(first, 5)
    fail(second, 4)
    first.begin(NOW)
    with pytest.raises(SignInLocked):
        first.failed(NOW)
    with pytest.raises(SignInLocked):
        second.begin(NOW)


def test_failures_in_a_really_separate_process_count() -> None:
    fail(SignInLimit(EMAIL), 4)
    environment_is_inherited = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert environment_is_inherited.returncode == 0, environment_is_inherited.stderr
    limit = SignInLimit(EMAIL)
    limit.begin(NOW)
    with pytest.raises(SignInLocked):
        limit.failed(NOW)


def test_thirty_attempts_at_once_get_ten_looks_at_the_password() -> None:
    let_through: list[int] = []
    start = threading.Barrier(30)

    def try_once(number: int) -> None:
        limit = SignInLimit(EMAIL, store=own_cache())
        start.wait()
        try:
            limit.begin(NOW)
        except SignInLocked:
            return
        let_through.append(number)

    threads = [threading.Thread(target=try_once, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == 10


@pytest.mark.parametrize("variant", ["PERSON@COMPANY.EXAMPLE", "  person@company.example "])
def test_other_spellings_of_the_address_count_as_the_same(variant: str) -> None:
    fail(SignInLimit(EMAIL), 9)
    with pytest.raises(SignInLocked):
        fail(SignInLimit(variant), 1)


def test_other_addresses_stay_open() -> None:
    with pytest.raises(SignInLocked):
        fail(SignInLimit(EMAIL), 10)
    SignInLimit("other@company.example").begin(NOW)


@pytest.fixture
def redis_away(settings: Settings, tmp_path: Path) -> None:
    """A cache whose Redis does not answer."""
    location = f"unix://{tmp_path}/nobody.sock?db=0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}


@pytest.mark.usefixtures("redis_away")
@pytest.mark.parametrize("step", ["begin", "failed", "succeeded"])
def test_without_redis_nobody_is_let_in(step: str) -> None:
    limit = SignInLimit(EMAIL, store=own_cache())
    calls = {"begin": lambda: limit.begin(NOW), "failed": lambda: limit.failed(NOW), "succeeded": limit.succeeded}
    with pytest.raises(SignInUncounted, match="Nobody can sign in at the moment"):
        calls[step]()


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_away")
def test_without_redis_the_page_says_so(caplog: pytest.LogCaptureFixture) -> None:
    user = make_user()
    response = Client().post(LOGIN, {"login": user.email, "password": PASSWORD})
    page = response.content.decode()
    assert response.status_code == 503, "nothing is wrong with what was typed"
    assert "failed attempts cannot be counted" in page
    assert f'value="{user.email}"' in page
    assert [record.getMessage() for record in caplog.records if record.name == "connect.sign_in_limit"] == [
        "failed sign-ins cannot be counted: ConnectionError"
    ]


@pytest.mark.django_db
def test_the_right_password_is_refused_while_locked_with_the_same_sentence() -> None:
    user = make_user()
    pages = [attempt(user.email, "wrong")[1] for _ in range(10)]
    entered, page = attempt(user.email, PASSWORD)
    assert not entered
    assert ["is locked until" in shown for shown in pages] == [False] * 9 + [True]
    assert _sentence(page) == _sentence(pages[-1])


@pytest.mark.django_db
def test_an_unknown_address_is_locked_with_the_same_sentence() -> None:
    user = make_user()
    known = [attempt(user.email, "wrong")[1] for _ in range(11)]
    unknown = [attempt("nobody@company.example", "wrong")[1] for _ in range(11)]
    assert [_sentence(page)[:60] for page in known] == [_sentence(page)[:60] for page in unknown]


@pytest.mark.django_db
def test_the_lock_is_in_the_audit_log_once_and_names_only_accounts_that_exist() -> None:
    user = make_user()
    for email in (user.email, "nobody@company.example"):
        for _ in range(12):
            attempt(email, "wrong")
    events = AuditEvent.objects.order_by("id").values_list("action", "actor", "object_label")
    assert list(events) == [
        ("account.locked", "anonymous", user.email),
        ("account.locked", "anonymous", "an unknown address"),
    ]


@pytest.mark.django_db
def test_a_sign_in_after_nine_failures_works_and_clears_them() -> None:
    user = make_user()
    for _ in range(2):
        for _ in range(9):
            attempt(user.email, "wrong")
        assert attempt(user.email, PASSWORD)[0]


@pytest.mark.django_db
def test_the_admin_has_no_way_in_of_its_own() -> None:
    user = make_user(is_staff=True)
    for _ in range(11):
        Client().post("/admin/login/", {"username": user.email, "password": "wrong"})
    response = Client().post("/admin/login/?next=/admin/", {"username": user.email, "password": PASSWORD})
    assert response.status_code == 302
    assert response.headers["Location"].startswith(LOGIN)


def _sentence(page: str) -> str:
    return page.split('role="alert">', 1)[1].split("</div>", 1)[0].split("<p>")[2]


def _keys_and_seconds_left() -> list[tuple[str, int]]:
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True)
    try:
        return [(str(key), int(client.ttl(key))) for key in client.keys("*sign-in*")]
    finally:
        client.close()


def _lock_and_seconds_left() -> tuple[str, int]:
    [(key, left)] = [(key, left) for key, left in _keys_and_seconds_left() if "sign-in-lock" in key]
    return key.split(":", 2)[2], left


def _wait_until_gone() -> None:
    last_moment = timezone.now() + timedelta(seconds=20)
    waiting = threading.Event()
    while _keys_and_seconds_left():
        assert timezone.now() < last_moment
        waiting.wait(0.05)
