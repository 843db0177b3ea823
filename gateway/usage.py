"""Counts calls without a write for each: they are added up in memory, and a thread writes the sums every two seconds.

While the database is away nothing is lost: sums go on growing, by certificates and sources and not by calls, and are
written when it is back. ``stop`` writes what is left, so a clean stop loses nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from django.db import close_old_connections, connection, connections
from django.utils import timezone

from certauthority.use_purge import KEPT_MINUTES
from certauthority.use_records import SeenCall, record_tally
from certauthority.use_tally import Tally

logger = logging.getLogger(__name__)

FLUSH_SECONDS: Final = 2.0
# How long a clean stop waits for a database that is away.
STOP_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 0.5


class Usage:
    """The calls of one process. Every method may be called by any thread."""

    def __init__(self, *, flush_seconds: float = FLUSH_SECONDS, stop_seconds: float = STOP_SECONDS) -> None:
        self._flush_seconds = flush_seconds
        self._stop_seconds = stop_seconds
        self._tally = Tally()
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0

    def note(self, call: SeenCall) -> None:
        """Count one call. It never raises: a request is answered whether or not it can be counted."""
        try:
            with self._lock:
                self._tally.add(call)
        except Exception:
            logger.exception("A call could not be counted.")

    def flush(self) -> bool:
        """Write what was noted. Where that fails it is kept for the next time, and False is returned."""
        with self._flushing:
            with self._lock:
                tally, self._tally = self._tally, Tally()
            if tally.is_empty:
                return True
            try:
                if not connection.in_atomic_block:
                    close_old_connections()
                record_tally(tally)
            except Exception as error:  # noqa: BLE001  Whatever is wrong, the counts must not be lost.
                self._take_back(tally, error)
                return False
            self._tell_of_recovery()
            return True

    def start(self) -> None:
        """Begin to write in the background; once is enough."""
        with self._lock:
            if self._thread is not None:
                return
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="usage", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what is left and end the thread. Calls noted later wait for another ``flush``."""
        with self._lock:
            thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join()
        self._write_the_rest()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._flush_seconds):
                self.flush()
        finally:
            connections.close_all()

    def _write_the_rest(self) -> None:
        last_moment = time.monotonic() + self._stop_seconds
        while not self.flush():
            if time.monotonic() > last_moment:
                logger.error("The database is away: the last calls at the endpoint were not counted.")
                return
            time.sleep(_RETRY_SECONDS)

    def _take_back(self, tally: Tally, error: Exception) -> None:
        """Keep what could not be written, and say so once for each outage."""
        if self._failures == 0:
            said = "Calls at the endpoint cannot be written. They are kept, and it is tried again."
            logger.error(said, exc_info=error)
        self._failures += 1
        if not connection.in_atomic_block:
            connection.close()
        tally.forget_minutes(before=timezone.now() - KEPT_MINUTES)
        with self._lock:
            tally.merge(self._tally)
            self._tally = tally

    def _tell_of_recovery(self) -> None:
        if self._failures:
            logger.info("Calls at the endpoint are written again, after %s attempts.", self._failures)
            self._failures = 0


_usage = Usage()

note = _usage.note
flush = _usage.flush
start = _usage.start
stop = _usage.stop
