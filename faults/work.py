"""Work for the stack, run with its environment: `python -m faults.work site RESULT`. What came of it goes to the file.

It calls the use-cases that pages call, so that what fails later is the site and not a shortcut.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import secrets
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import CommandError, call_command  # noqa: E402  Django is set up before its models
from django.utils import timezone  # noqa: E402

from audit.events import Actor  # noqa: E402
from certauthority import revocation_lists  # noqa: E402
from certauthority.models import Authority  # noqa: E402
from connect.expiry import scan  # noqa: E402
from connect.models import User  # noqa: E402
from kmp.models import InventoryEntry  # noqa: E402
from kmp.requests import submit  # noqa: E402
from kmp.tasks import process_request  # noqa: E402
from portal.models import Credential, Project, Role  # noqa: E402
from tests import factories  # noqa: E402
from tests.connect.expiring import make_due_credentials  # noqa: E402
from tests.factories import make_company, make_member, make_project, make_user, subject_for  # noqa: E402
from tests.kmp.factories import make_entry, make_officer  # noqa: E402
from tests.kmp.wizard import make_renewal  # noqa: E402

UNIQUE = "1600000000"
LONG_AGO = timedelta(hours=1)

Result = dict[str, Any]


def site() -> Result:
    """A company with a project and its admin, and a company with two security officers."""
    password = secrets.token_urlsafe(24)
    admin = make_user(email="ada@faults.example", name="Ada Brook", password=password)
    project = make_project(admin=admin, name="Faults")
    company = make_company(name="Renewals Ltd", group_email="group@faults.example")
    make_officer(company, email="olga@faults.example", name="Olga Stern")
    make_officer(company, email="piet@faults.example", name="Piet Vos")
    return {
        "email": admin.email,
        "password": password,
        "project": str(project.pk),
        "subject": subject_for(project, unique=UNIQUE),
    }


def renewals(count: str, due: str, copies: str = "0") -> Result:
    """Submit so many renewals, each of a certificate of its own; ``due`` at once, or after the review's delay.

    Of each message there are so many copies, for as many workers as there are.
    """
    officer = User.objects.get(email="olga@faults.example")
    drafts = [make_renewal(officer, make_entry(officer.company, unique=_unique())) for _ in range(int(count))]
    numbers = []
    for draft in drafts:
        at = timezone.now() - (LONG_AGO if due == "at-once" else timedelta(0))
        request = submit(draft, by=officer, actor=Actor(officer.email), now=at)
        numbers.append(request.number)
        for _ in range(int(copies)):
            process_request.delay(str(request.pk))
    return {"numbers": numbers}


def notices(count: str) -> Result:
    """So many certificates of which two people must be told today, and the scan that stores what they are told."""
    project = Project.objects.get(name="Faults")
    told = make_project(admin=make_user(company=project.company, email=_address()), name=f"Told {_unique()}")
    make_member(told, email=_address(), role=Role.ADMIN)
    made = make_due_credentials(int(count), project=told)
    scan.scan(now=timezone.now())
    return {"project": str(told.pk), "watched": [f"portal:{credential.pk}" for credential in made]}


def publish() -> Result:
    """Publish a CRL of the Developers CA."""
    crl = revocation_lists.publish(Authority.objects.get(name="developers"), now=timezone.now())
    return {"number": crl.number if crl else None}


def on_full_disk(*command: str) -> Result:
    """Run a management command while no file can grow: every write fails, as it does on a full disk. What it said."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        call_command(*command)
    except CommandError as error:
        return {"said": str(error)}
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    return {"said": ""}


def quiet() -> Result:
    """End what earlier tests left, so that nobody is told of it once the clock is ahead."""
    live = Credential.objects.filter(ended_at=None)
    ended = live.update(ended_at=timezone.now(), end_reason="use-ended", next_notice_at=None)
    InventoryEntry.objects.update(next_notice_at=None)
    return {"ended": ended}


def _unique() -> str:
    """Ten digits that were not drawn before."""
    return str(1_000_000_000 + secrets.randbelow(8_000_000_000))


def _address() -> str:
    return f"told-{_unique()}@faults.example"


COMMANDS: dict[str, Callable[..., Result]] = {
    "site": site,
    "renewals": renewals,
    "notices": notices,
    "publish": publish,
    "on-full-disk": on_full_disk,
    "quiet": quiet,
}


def main(arguments: list[str]) -> None:
    """Do one piece of work and write what came of it."""
    name, result, *rest = arguments
    # Every run of this program begins to count somewhere else.
    factories.numbers._count = itertools.count(secrets.randbelow(10**9))
    Path(result).write_text(json.dumps(COMMANDS[name](*rest)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
