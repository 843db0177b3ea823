"""What a form shows when a use-case refuses it: the one table from known errors to fields and sentences."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.forms import Form

from certauthority.errors import CAError, RequestRefused
from certauthority.x509.verdicts import Verdict, broken
from portal.errors import AliasTaken, PortalError
from portal.forms.add_certificate import AddCertificateForm

logger = logging.getLogger(__name__)

# Everything else is a mistake of ours and becomes a 500.
KNOWN = (CAError, PortalError)


def show_refusal(form: AddCertificateForm, refusal: Exception) -> None:
    """Put a known error where it belongs on the form: the alias, the CSR or certificate, or the form as a whole."""
    match refusal:
        case AliasTaken():
            form.add_error("alias", str(refusal))
        case RequestRefused():
            show_broken_rules(form, refusal.verdicts)
        case PortalError():
            form.add_error(None, str(refusal))
        case _:
            report(form, refusal)


def is_our_failure(refusal: Exception) -> bool:
    """Whether nothing is wrong with what was sent: our side cannot do it now, which HTTP calls 503."""
    return isinstance(refusal, CAError) and not isinstance(refusal, RequestRefused)


def report(form: Form, refusal: Exception) -> None:
    """Say that our side cannot do it now, and log it for who runs the site. These messages hold nothing secret."""
    logger.error("The certificate authority refused: %s: %s", type(refusal).__name__, refusal)
    form.add_error(None, f"{refusal} Nothing was stored.")


def show_broken_rules(form: AddCertificateForm, verdicts: Iterable[Verdict]) -> None:
    """One sentence at the field; the table of verdicts has the rest."""
    refused = broken(verdicts)
    if len(refused) == 1:
        form.add_error(form.content_name, unreadable(refused[0]) or "One rule is broken: see the table of rules.")
    elif refused:
        form.add_error(form.content_name, f"{len(refused)} rules are broken: see the table of rules.")


def unreadable(verdict: Verdict) -> str:
    """The sentence of a verdict on input that could not be read at all, else nothing."""
    return verdict.found if verdict.id.startswith("input.") or verdict.id == "csr.single" else ""
