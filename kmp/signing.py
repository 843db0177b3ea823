"""Sign a request: certificate, inventory version, state and notices in one transaction, or none of them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from django.db import transaction

from audit.events import Actor
from certauthority import issuance
from certauthority.errors import RequestRefused, SerialRepeated, count_refusal
from certauthority.models import Certificate
from certauthority.models.authority import AuthorityPurpose
from connect.clock import company_time
from connect.officers import officers_of
from kmp import messages
from kmp.entries import add_entry
from kmp.errors import NotSignable, WrongState
from kmp.judgement import Judged, judge, sentence_of
from kmp.models import CertificateRequest, InventoryEntry, RequestState
from kmp.moves import REASON_LENGTH, UNDECIDED, end, locked, record_of
from kmp.numbers import hold_references

SERIAL_TRIES = 3
_CHANGED = "Something changed after it was submitted."


def sign(request: CertificateRequest, *, decided_by: str, actor: Actor, now: datetime) -> InventoryEntry:
    """Judge a submitted request once more and sign it. A repeat returns what was signed the first time.

    ``now`` is real time: the certificate begins then, and its months are counted from what the company's clock shows.

    Raises:
        NotSignable: the world changed since it was submitted; the sentence is the reason to reject it with.
        WrongState: it was rejected or cancelled meanwhile.
        CAError: the CA cannot sign now.
    """
    for _ in range(SERIAL_TRIES):
        with suppress(SerialRepeated), transaction.atomic():
            return _sign(request, decided_by=decided_by, actor=actor, now=now)
    raise RuntimeError("the random source gives serial numbers that were given before")


def judge_again(request: CertificateRequest, *, now: datetime) -> tuple[Judged, tuple[str, ...]]:
    """What the rules say of a submitted request now, and a sentence for each thing that keeps it from being signed.

    It kept every rule when it was submitted: what stands against it now has changed since. That its application was
    closed, or that its company lacks an officer or the group e-mail now, does not matter any more.
    """
    judged = judge(request, now=now)
    obstacles = judged.problems
    if not officers_of(request.company).filter(pk=request.officer_id).exists():
        obstacles = (
            f"{request.officer.name} is no security officer of {request.company.name} any more. Another officer may "
            "send the CSR in a request of their own.",
            *obstacles,
        )
    return judged, obstacles


def _sign(request: CertificateRequest, *, decided_by: str, actor: Actor, now: datetime) -> InventoryEntry:
    row = locked(request)
    if row.entry is not None:
        return row.entry
    if row.state not in UNDECIDED:
        raise WrongState(f"{row.number} was {row.get_state_display().lower()} meanwhile. Nothing was signed.")
    judged = _judged_for_good(row, now=now)
    certificate = _issue(row, judged, now=now)
    entry = _add_entry(row, certificate, actor=actor, now=now)
    row.entry = entry
    end(row, RequestState.SIGNED, by=decided_by, reason="", now=now)
    record_of(
        "kmp.request-signed",
        row,
        actor=actor,
        now=now,
        after={
            "reference": entry.reference,
            "common_name": certificate.common_name,
            "serial": certificate.serial,
            "fingerprint": certificate.fingerprint,
            "not_after": certificate.not_after.isoformat(),
            "decided_by": decided_by,
        },
    )
    messages.signed(row, now=now)
    return entry


def _judged_for_good(row: CertificateRequest, *, now: datetime) -> Judged:
    """The judgement, which stays true until the commit: what it rests on is held. Raises NotSignable."""
    hold_references()
    if row.expiring is not None:
        InventoryEntry.objects.select_for_update(of=("self",)).get(pk=row.expiring.pk)
    judged, obstacles = judge_again(row, now=now)
    if obstacles:
        count_refusal(judged.verdicts)
        raise NotSignable(reason_of(obstacles))
    return judged


def _issue(row: CertificateRequest, judged: Judged, *, now: datetime) -> Certificate:
    try:
        return issuance.issue(
            judged.request,
            purpose=AuthorityPurpose.KMP,
            now=now,
            counted_from=company_time(row.company, now),
            alternative_names=tuple(row.alternative_names),
        )
    except RequestRefused as error:
        # Between the judgement and the claim of its key, the key was reported as compromised or went to somebody else.
        raise NotSignable(reason_of(sentence_of(verdict) for verdict in error.verdicts if not verdict.ok)) from error


def _add_entry(row: CertificateRequest, certificate: Certificate, *, actor: Actor, now: datetime) -> InventoryEntry:
    if row.application is None:
        raise WrongState(f"{row.number} names no application.")
    return add_entry(
        company=row.company,
        application=row.application,
        environment=row.environment,
        profile=row.profile,
        certificate=certificate,
        alternative_names=tuple(row.alternative_names),
        renews=row.expiring,
        key=row.pk,
        actor=actor,
        now=now,
    )


def reason_of(sentences: Iterable[str]) -> str:
    """The reason to reject a request with, for what ``judge_again`` found: as many whole sentences as fit."""
    told = _CHANGED
    for sentence in sentences:
        if len(told) + 1 + len(sentence) > REASON_LENGTH:
            return told if told != _CHANGED else f"{told} {sentence}"[: REASON_LENGTH - 1] + "…"
        told = f"{told} {sentence}"
    return told
