"""A Celery worker that is slow, or killed, at a chosen point: ``python -m tests.kmp.patched_worker POINT TRACE …``.

Nothing of this is in the site's own code: the functions are replaced in this process alone. TRACE is a file to which
the point adds a line when it is reached. What follows are the arguments of ``celery``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import django

from config.celery import app

django.setup()

from kmp import automatic_review, messages  # noqa: E402  the apps are ready only now
from kmp.models import CertificateRequest  # noqa: E402

OVERLAP_SECONDS = 0.7
ANOTHER_PROCESS_SECONDS = 40.0


class Point:
    """A point in the processing of a request, and the file that tells that it was reached."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def note(self, line: str) -> None:
        """Add a line, which is on disk when this returns."""
        with open(self._trace, "a", encoding="ascii") as file:
            file.write(f"{line}\n")

    def claimed(self) -> None:
        """Killed as a whole, after a request was claimed and before anything is decided."""

        def die(request: CertificateRequest, *, now: datetime) -> None:
            self.note(request.number)
            kill_everything()

        automatic_review._decide = die

    def signed(self) -> None:
        """Killed as a whole, after everything was signed and stored, and before the commit."""

        def die(request: CertificateRequest, *, now: datetime) -> None:
            self._note_certificate(request)
            kill_everything()

        messages.signed = die

    def committed(self) -> None:
        """Killed as a whole, after the commit and before the broker knows."""
        process = automatic_review.process

        def die(request_id: UUID, *, now: datetime) -> timedelta | None:
            process(request_id, now=now)
            self.note(str(request_id))
            kill_everything()
            return None

        automatic_review.process = die

    def child(self) -> None:
        """Only the process that works on the task is killed, once, as by a system that lacks memory."""
        signed = messages.signed

        def die_once(request: CertificateRequest, *, now: datetime) -> None:
            if not self._trace.exists():
                self._note_certificate(request)
                os.kill(os.getpid(), signal.SIGKILL)
            signed(request, now=now)

        messages.signed = die_once

    def slow(self) -> None:
        """Who claims a request waits for another process that decides on any, so that several decide at once."""
        self._wait_before_deciding(lambda line, number: True)

    def together(self) -> None:
        """Who claims a request waits for another process that has claimed the same one."""
        self._wait_before_deciding(lambda line, number: line.split()[0] == number)

    def unhurried(self) -> None:
        """Who claims a request takes its time."""
        decide = automatic_review._decide

        def wait(request: CertificateRequest, *, now: datetime) -> None:
            self.note(f"{request.number} {os.getpid()}")
            time.sleep(OVERLAP_SECONDS)
            decide(request, now=now)

        automatic_review._decide = wait

    def _wait_before_deciding(self, counts: Callable[[str, str], bool]) -> None:
        decide = automatic_review._decide

        def wait(request: CertificateRequest, *, now: datetime) -> None:
            self.note(f"{request.number} {os.getpid()}")
            for _ in range(int(ANOTHER_PROCESS_SECONDS / OVERLAP_SECONDS)):
                lines = self._trace.read_text(encoding="ascii").splitlines()
                if len({line.split()[1] for line in lines if counts(line, request.number)}) > 1:
                    break
                time.sleep(OVERLAP_SECONDS)
            time.sleep(OVERLAP_SECONDS)
            decide(request, now=now)

        automatic_review._decide = wait

    def _note_certificate(self, request: CertificateRequest) -> None:
        if request.entry is None:
            raise RuntimeError("nothing has been signed yet")
        self.note(request.entry.serial)


def kill_everything() -> None:
    """As when the power fails: first the worker, which would start another process for the task, then this one."""
    os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    point, trace, *arguments = sys.argv[1:]
    change: Callable[[], None] = getattr(Point(Path(trace)), point)
    change()
    app.worker_main(arguments)
