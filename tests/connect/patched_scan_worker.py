"""A Celery worker that is killed in the midst of a scan: ``python -m tests.connect.patched_scan_worker POINT TRACE …``.

Nothing of this is in the site's own code: the functions are replaced in this process alone. Pages are small, and TRACE
is a file to which the point adds a line when it is reached. What follows are the arguments of ``celery``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import django

from config.celery import app

django.setup()

from connect.expiry import scan  # noqa: E402  the apps are ready only now
from connect.expiry.judgement import Judgement  # noqa: E402
from connect.expiry.sources import Source  # noqa: E402
from connect.models import Company  # noqa: E402
from tests.kmp.patched_worker import kill_everything  # noqa: E402

PAGE = 3
OVERLAP_SECONDS = 0.3


class Point:
    """A point in the scan, and the file that tells that it was reached."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def note(self, line: str) -> None:
        """Add a line, which is on disk when this returns."""
        with open(self._trace, "a", encoding="ascii") as file:
            file.write(f"{line}\n")

    def stored(self) -> None:
        """Killed in the second page: its rows are moved on, its notices stored, and nothing of it is committed."""
        tell_webhooks = scan._tell_webhooks

        def die(judged: Sequence[Judgement], *, now: datetime) -> None:
            self.note("page")
            if len(self._trace.read_text().split()) == 2:
                kill_everything()
            tell_webhooks(judged, now=now)

        scan._tell_webhooks = die

    def committed(self) -> None:
        """Killed between two pages, after the commit of the first and before anybody is told to deliver."""

        def die() -> None:
            self.note("page")
            kill_everything()

        scan._bring_forward = die

    def slow(self) -> None:
        """Every worker waits with the rows that it has claimed, so that several scan at once."""
        claim = Source.claim

        def wait(
            source: Source, clock_ahead: timedelta, *, now: datetime, limit: int, company: Company | None = None
        ) -> list[UUID]:
            keys = claim(source, clock_ahead, now=now, limit=limit, company=company)
            self.note(f"{len(keys)}")
            time.sleep(OVERLAP_SECONDS if keys else 0)
            return keys

        patch.object(Source, "claim", wait).start()


if __name__ == "__main__":
    point, trace, *arguments = sys.argv[1:]
    scan.PAGE = PAGE
    change: Callable[[], None] = getattr(Point(Path(trace)), point)
    change()
    app.worker_main(arguments)
