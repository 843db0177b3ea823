"""One line for each handshake that failed, and not more of them than somebody can read."""

from __future__ import annotations

import logging
import time

from OpenSSL import SSL

logger = logging.getLogger(__name__)

LINES_A_MINUTE = 20


class HandshakeLog:
    """Writes at most so many lines a minute, and then how many more there were."""

    def __init__(self, lines_a_minute: int = LINES_A_MINUTE) -> None:
        self._most = lines_a_minute
        self._minute = 0
        self._count = 0

    def failed(self, address: str, error: BaseException | None) -> None:
        """A connection ended before its handshake was complete."""
        reason = _reason(error)
        if not reason:  # Whoever only looks whether the port is open, or gives up, is no news.
            logger.debug("A handshake with %s was not completed.", address)
            return
        minute = int(time.monotonic() // 60)
        if minute != self._minute:
            if self._count > self._most:
                logger.info("%s more handshakes failed.", self._count - self._most)
            self._minute, self._count = minute, 0
        self._count += 1
        if self._count <= self._most:
            logger.info("A handshake with %s failed: %s.", address, reason)


def _reason(error: BaseException | None) -> str:
    """OpenSSL's words for it; empty where the connection was merely closed."""
    if not isinstance(error, SSL.Error) or not error.args or not isinstance(error.args[0], list):
        return ""
    return ", ".join(str(entry[-1]) for entry in error.args[0][-2:])
