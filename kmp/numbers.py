"""Draw the next request number or inventory reference."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F

from kmp.models import Sequence

REQUEST = "request"
REFERENCE = "reference"
_FIRST = {REQUEST: 1, REFERENCE: 200_001}


def next_request_number() -> str:
    """``REQ-`` and eight digits. Call it inside the transaction that stores the request."""
    return f"REQ-{_next(REQUEST):08}"


def next_reference() -> str:
    """``KM-`` and at least six digits. Call it inside the transaction that stores the entry."""
    return f"KM-{_next(REFERENCE)}"


def hold_references() -> None:
    """Make every other transaction wait that would put a certificate into the inventory, until this one ends.

    What is judged afterwards, such as that no live certificate has the same subject, is true until the commit.
    """
    Sequence.objects.get_or_create(pk=REFERENCE, defaults={"last": _FIRST[REFERENCE] - 1})
    Sequence.objects.select_for_update().get(pk=REFERENCE)


def _next(name: str) -> int:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A number belongs to what its caller stores: draw it inside transaction.atomic()")
    # Two who find no row both try to make it; the second waits for the first and then finds it.
    if not Sequence.objects.filter(pk=name).update(last=F("last") + 1):
        sequence, is_new = Sequence.objects.get_or_create(pk=name, defaults={"last": _FIRST[name]})
        if is_new:
            return sequence.last
        Sequence.objects.filter(pk=name).update(last=F("last") + 1)
    return Sequence.objects.values_list("last", flat=True).get(pk=name)
