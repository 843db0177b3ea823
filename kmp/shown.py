"""What a page has shown of a draft, so that nobody submits, or writes over, what their page never showed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from connect.models import User
from kmp.drafts import own_draft
from kmp.errors import DraftChanged
from kmp.models import CertificateRequest


def digest_of(draft: CertificateRequest) -> str:
    """Stands in the form of the review: one digest of what is judged, one of what the form lets change."""
    return f"{_digest_of_judged(draft)}-{_digest_of_typed(draft.alternative_names, draft.contact)}"


def hold_as_shown(
    request: CertificateRequest,
    shown: str,
    *,
    csr: bytes,
    names: Sequence[str] | None,
    contact: str | None,
    by: User,
) -> CertificateRequest:
    """The draft as it is now, held until the transaction ends, if whoever sends the form knows what is in it.

    ``shown`` is the digest that came with the form. ``csr``, ``names`` and ``contact`` are what was sent: empty or
    None where nothing, or nothing right, was. What the draft holds already is no surprise: so is a form sent twice.

    Raises:
        DraftChanged: it holds by now what the page never showed.
        WrongState: as for ``own_draft``.
    """
    row = own_draft(request, by)
    judged, _, typed = shown.partition("-")
    is_new_csr = judged != _digest_of_judged(row) and not (csr and csr == bytes(row.csr))
    is_as_sent = names is not None and list(names) == row.alternative_names and contact == row.contact
    are_new_names = typed != _digest_of_typed(row.alternative_names, row.contact) and not is_as_sent
    if is_new_csr or are_new_names:
        raise DraftChanged(_sentence(row, is_new_csr=is_new_csr, are_new_names=are_new_names))
    return row


def _digest_of_judged(draft: CertificateRequest) -> str:
    return _digest([bytes(draft.csr).hex(), str(draft.application_id), draft.environment, draft.profile])


def _digest_of_typed(names: Sequence[str], contact: str) -> str:
    return _digest([*names, contact])


def _digest(values: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _sentence(row: CertificateRequest, *, is_new_csr: bool, are_new_names: bool) -> str:
    told = f"{row.number} was changed elsewhere after this page was opened, and nothing of this page was kept."
    if is_new_csr:
        told += " Below is what the draft holds now: look at it first."
    if are_new_names:
        names = f"the names {', '.join(row.alternative_names)}" if row.alternative_names else "no names"
        told += f" The draft now has {names}, and the contact {row.contact}."
    return f"{told} What you typed is still in its box: send it again to put it in the draft."
