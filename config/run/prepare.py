"""Bring database, static files, authorities and demo data up to date. Safe to repeat: what is there stays."""

from __future__ import annotations

import os
import signal
import sys

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from config.run.checks import Refusal


def prepare_site(*, demo: bool) -> None:
    """Run the management commands that a site needs before it can serve; each does nothing where nothing is due.

    Raises:
        Refusal: the database cannot be used, or a command says why it cannot do its work.
    """
    django.setup()
    try:
        _run_commands(demo)
    except (DatabaseError, CommandError) as error:
        raise Refusal(f"The site cannot be prepared: {error}") from error
    finally:
        connections.close_all()


def _run_commands(demo: bool) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("create_applications")
    if demo:
        call_command("create_authorities", demo=True)
        call_command("demo_data")
        call_command("demo_kmp")
    else:
        call_command("create_authorities")
    call_command("certify_endpoint")
    call_command("publish_revocation_lists", if_due=True)


def main() -> int:
    """`python -m config.run.prepare`: called by the launcher, and by stacks such as containers."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once and without a traceback.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from config import env

        env.STATE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
        prepare_site(demo=env.DEMO)
    except (Refusal, ImproperlyConfigured) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
