"""Fixtures for every test, and the rules of a run: nothing is left out in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from certauthority import background
from certauthority.ocsp import answers, ready_made
from connect import delivery
from portal import news
from tests import factories
from tests.broker import own_broker  # noqa: F401  a fixture
from tests.ca_fixture import authorities  # noqa: F401  a fixture
from tests.flush import _flush_what_tests_make  # noqa: F401  a fixture
from tests.kmp import factories as kmp_factories

# An exit code of our own: tools/run_tests.py repeats what failed, and knows those of pytest.
LEFT_OUT = 20
CI = os.environ.get("CI") == "true"
BROWSER_TESTS = Path(__file__).resolve().parent / "browser"
CORPUS = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
DATABASE_FIXTURES = {
    *("db", "transactional_db", "django_db_reset_sequences"),
    *("live_site", "celery_worker_process", "live_gateway"),
}


def pytest_configure(config: pytest.Config) -> None:
    """Make cheap what tests do over and over again.

    The real password hasher takes most of a second for each user that a test signs in, and WhiteNoise reads all static
    files for each new client, unless it is to look for each file when it is asked for.
    """
    # How long an example takes says how busy the machine is. CI takes the same examples each time: a new one that fails
    # is found where somebody looks, and not in a run that others wait for.
    hypothesis_settings.register_profile(
        "suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=CI, database=None
    )
    hypothesis_settings.load_profile("suite")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_report_header() -> list[str]:
    """Say what the run works with."""
    lines = [f"database: {settings.DATABASES['default']['ENGINE'].rsplit('.', 1)[-1]}"]
    if not CORPUS.is_dir():
        lines.append("corpus: absent (../shared/corpus); the tests that need it cannot run")
    return lines


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a database or a browser by what they ask for, so that no mark can be forgotten."""
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or names & DATABASE_FIXTURES:
            item.add_marker("database")
        if "browser" in names or BROWSER_TESTS in item.path.parents:
            item.add_marker("browser")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test, an expected failure or a missing corpus fails the run, and no second run mends that."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not CI or reporter is None:
        return
    left_out = [*reporter.stats.get("skipped", []), *reporter.stats.get("xfailed", [])]
    for report in left_out:
        reporter.write_line(f"Left out, which CI does not allow: {report.nodeid}", red=True)
    if not CORPUS.is_dir():
        reporter.write_line("The corpus ../shared/corpus is absent, which CI does not allow.", red=True)
    if left_out or not CORPUS.is_dir():
        session.exitstatus = LEFT_OUT


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Keep SQLite's test database in a file, where the site's other processes find it, too."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(settings.STATE_DIR / "rehearsal.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """The collected static files: pages name them by their content, and the names are read once in a process."""
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session")
def redis_client() -> Iterator[redis.Redis]:
    """The run's Redis, in the database that belongs to this process."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    """Let the factories count from one: what a test gets does not depend on the tests before it."""
    factories.numbers.begin_again()
    kmp_factories.numbers.begin_again()


@pytest.fixture(autouse=True)
def _empty_redis(redis_client: redis.Redis) -> None:
    """Let no test find the cache, the counters or the messages of another, nor servers that it sent away."""
    redis_client.flushdb()
    background.broker_pause.end()
    ready_made.pause.end()
    answers.forget()
    delivery.server_pause.end()
    news.gathering.end()
