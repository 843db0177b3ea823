"""Draw serial numbers."""

from __future__ import annotations

from certauthority.models import Certificate
from certauthority.x509.profile import new_serial

TRIES = 5


def unused_serial() -> int:
    """A random serial that no certificate of ours has; the unique constraint has the last word.

    Raises:
        RuntimeError: the random source repeats itself.
    """
    for _ in range(TRIES):
        serial = new_serial()
        if not Certificate.objects.filter(serial=format(serial, "x")).exists():
            return serial
    raise RuntimeError("the random source gives serial numbers that were given before")
