"""Known weaknesses of RSA keys, found by badkeys. The one place that touches that untyped library."""

from __future__ import annotations

import logging

import badkeys  # type: ignore[import-untyped, unused-ignore]  # it ships no types

logger = logging.getLogger(__name__)

# Named one by one: the library's defaults need lists from the Internet and end the process where these are missing.
_CHECKS = {
    "fermat": "its two primes are too close to each other (Fermat)",
    "roca": "it was made by faulty hardware (ROCA, CVE-2017-15361)",
    "rsainvalid": "its numbers are not those of an RSA key",
    "rsapoly": "its modulus has a pattern that lets it be factored",
    "sharedprimes": "it shares a prime with other keys",
    "smalld": "its private exponent is too small (Wiener)",
    "smallfactors": "its modulus has a small factor",
}


def weaknesses(modulus: int, exponent: int) -> tuple[str, ...]:
    """What is wrong with the key, in words; nothing when no weakness is known.

    The caller bounds the numbers. A check that cannot be done counts as a weakness, so that nothing passes unseen.
    """
    try:
        found = badkeys.checkrsa(modulus, e=exponent, checks=list(_CHECKS))
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it calls sys.exit where its data is missing
        logger.error("The check for weak keys failed: %s", type(error).__name__)
        return ("the check for known weaknesses could not be done",)
    return tuple(_CHECKS[name] for name in found)
