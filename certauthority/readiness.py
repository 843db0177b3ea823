"""Whether the certificate authority can do its work, for /readyz and for people."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError

from certauthority import crl_shards, revocation_lists, signers
from certauthority.errors import CAError
from certauthority.models import Authority, Certificate
from certauthority.ocsp import responders

logger = logging.getLogger(__name__)


def prove_keys_at_start() -> bool:
    """Open every CA key, sign and verify with it, and say aloud what cannot be used: for processes that sign.

    The process goes on: pages, CRLs and revocations need no key, and each attempt to sign says the same again.
    Nothing is said where the process is not meant to sign.
    """
    if not settings.SIGNS:
        return False
    try:
        signers.self_test()
    except (CAError, DatabaseError) as error:
        logger.critical("This process cannot sign certificates: %s", error)
        return False
    return True


def problems(*, now: datetime) -> dict[str, str]:
    """What is wrong, by part: an empty dictionary when nothing is."""
    found = {}
    try:
        if settings.SIGNS:
            signers.self_test()
        if not Authority.objects.exists():
            found["ca_key"] = "The certificate authority has not been created. Run manage.py create_authorities."
    except CAError as error:
        found["ca_key"] = str(error)
    valid = {(crl.authority_id, crl.shard) for crl in revocation_lists.newest() if crl.next_update > now}
    for scope in crl_shards.scopes():
        if scope.key not in valid:
            found["crl"] = f"{scope.label} has no valid CRL. See that worker and beat are running."
    for authority in Authority.objects.select_related("certificate"):
        if authority.certificate.not_after > now and (problem := responders.problem(authority, now=now)):
            found["ocsp"] = problem
    linted = Certificate.objects.exclude(lint_findings="").order_by("linted_at").first()
    if linted is not None:
        found["lint"] = f"Certificate {linted.serial} does not pass the lint: {linted.lint_findings}"
    return found
