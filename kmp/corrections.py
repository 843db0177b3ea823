"""`Correct and submit again`: a new draft that begins where a rejected request ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.events import Actor
from connect.models import User
from kmp.drafts import save_csr, save_names, start_new, start_renewal
from kmp.errors import WrongState
from kmp.models import CertificateRequest, Environment, Profile, RequestState


@transaction.atomic
def start_correction(
    rejected: CertificateRequest, *, key: UUID, by: User, actor: Actor, now: datetime
) -> CertificateRequest:
    """Begin a draft with all that a rejected request held. ``key`` is of the page, so that one press begins one.

    Raises:
        WrongState: it was not rejected.
        CannotRenew, RenewalTaken: as when a renewal begins.
    """
    if rejected.state != RequestState.REJECTED:
        raise WrongState(
            f"{rejected.number} is {rejected.get_state_display().lower()}, and only a rejected request is corrected."
        )
    draft = _started(rejected, key=key, by=by, actor=actor, now=now)
    # One that had begun before keeps what its officer has put into it since.
    if draft.state != RequestState.DRAFT or draft.officer_id != by.pk or draft.csr:
        return draft
    save_csr(draft, bytes(rejected.csr), name=rejected.csr_name, by=by, actor=actor, now=now)
    return save_names(draft, rejected.alternative_names, contact=rejected.contact, by=by, actor=actor, now=now)


def _started(rejected: CertificateRequest, *, key: UUID, by: User, actor: Actor, now: datetime) -> CertificateRequest:
    if rejected.expiring is not None:
        return start_renewal(rejected.expiring, by=by, actor=actor, now=now)
    if rejected.application is None:
        raise WrongState(f"{rejected.number} names no application: make a new request.")
    return start_new(
        by,
        key=key,
        application=rejected.application,
        environment=Environment(rejected.environment),
        profile=Profile(rejected.profile),
        contact=rejected.contact,
        actor=actor,
        now=now,
    )
