"""Why nobody is told of a threshold, in the sentences that the Notices pages show."""

from __future__ import annotations

from datetime import datetime

from connect.expiry.sources import Lifetime

PASSED_OVER = "It passed while the site was away or the clock was moved. Only the nearest notice goes out."
NOBODY = "There was nobody to tell."
_REASON_LENGTH = 200


def reason_for_silence(lifetime: Lifetime, *, now: datetime) -> str:
    """Why nobody wants to hear of this certificate's end at ``now``, of the company's time; empty if they do.

    Revoked ones and those of deleted projects need no reason: they are watched no more.
    """
    if lifetime.is_snoozed(now):
        by = f" by {lifetime.snoozed_by}" if lifetime.snoozed_by else ""
        # At most 200 characters: an address may have 254.
        return f"Snoozed until {lifetime.snoozed_until:%-d %B %Y}{by}"[: _REASON_LENGTH - 1] + "."
    if lifetime.at(now).is_replaced_and_unused:
        return f"{lifetime.successor} has replaced it, and it has not been used since."
    return ""
