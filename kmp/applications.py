"""The applications for which certificates are requested: those to start with, and what staff decide about each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from audit.events import Actor, AuditedObject, record
from certauthority.x509.attribute_rules import AttributeKind, AttributeRule
from certauthority.x509.keys import KEY_TYPES
from kmp.dn_requirements import store_rules
from kmp.errors import NameTaken
from kmp.models import Application, DnRequirement, Environment, InventoryEntry, Review
from kmp.numbers import hold_references

_COUNTRY = AttributeRule("C", AttributeKind.COMPANY, "country", False, 2)
_MAYBE_COUNTRY = AttributeRule("C", AttributeKind.COMPANY, "country", True, 2)
_COMPANY = AttributeRule("O", AttributeKind.COMPANY, "name", False, 64)


def _unit(value: str) -> AttributeRule:
    return AttributeRule("OU", AttributeKind.FIXED, value, False, 64)


def _team(example: str) -> AttributeRule:
    return AttributeRule("OU", AttributeKind.FREE, example, False, 64)


def _named(pattern: str) -> AttributeRule:
    return AttributeRule("CN", AttributeKind.PATTERN, pattern, False, 64)


@dataclass(frozen=True, slots=True)
class FirstApplication:
    """An application that every site has from the start, and the rules for its names in both environments."""

    code: str
    name: str
    description: str
    rules: tuple[AttributeRule, ...]
    review: Review = Review.AUTOMATIC


FIRST_APPLICATIONS = (
    FirstApplication(
        "xbs-api-mtls",
        "Cross-Border Services API-MTLS",
        "Payments across borders, by machines that sign in with a certificate.",
        (_COUNTRY, _COMPANY, _unit("Cross-Border Services"), _named("<environment> XBS")),
    ),
    FirstApplication(
        "developers-portal-client",
        "Developers portal client",
        "A client certificate for a project of the Developers portal, to be uploaded there.",
        (_MAYBE_COUNTRY, _COMPANY, _team("Checkout API"), _named("<unique>-Client-<environment>-<cid>")),
    ),
    FirstApplication(
        "a2a-commerce-client",
        "A2A Commerce client",
        "Payments from account to account. Key Management looks at each request.",
        (_MAYBE_COUNTRY, _COMPANY, _unit("A2A Commerce"), _named("<unique>-A2A-<environment>-<cid>")),
        Review.MANUAL,
    ),
    FirstApplication(
        "identity-insights-client",
        "Identity Insights client",
        "Questions about a customer’s identity, asked by a server.",
        (_MAYBE_COUNTRY, _COMPANY, _unit("Identity Insights"), _named("<unique>-Identity-<environment>-<cid>")),
    ),
    FirstApplication(
        "transaction-api-client",
        "Transaction API client",
        "Transactions, read and sent by a server.",
        (_MAYBE_COUNTRY, _COMPANY, _team("Card Operations"), _named("<unique>-Client-<environment>-<cid>")),
    ),
)


@transaction.atomic
def create_applications() -> list[Application]:
    """Make those of the first applications that are missing, and leave the others as staff have them now."""
    created = []
    existing = set(Application.objects.values_list("code", flat=True))
    for first in FIRST_APPLICATIONS:
        if first.code in existing:
            continue
        application = Application.objects.create(
            code=first.code, name=first.name, description=first.description, review=first.review
        )
        for environment in Environment:
            requirement = DnRequirement.objects.create(
                application=application, environment=environment, key_types=list(KEY_TYPES)
            )
            store_rules(requirement, first.rules)
        created.append(application)
    return created


@transaction.atomic
def change_application(
    application: Application,
    *,
    name: str,
    description: str,
    review: Review,
    is_open: bool,
    actor: Actor,
    now: datetime,
) -> bool:
    """Give an application other words, another review, or open or close it. Returns False where nothing changes.

    Requests that were sent in before are reviewed in the new way; a closed application takes no new ones.

    Raises:
        NameTaken: another application has the name.
    """
    # The first of all locks, as where certificates are signed: none comes in under the old name once it has changed.
    hold_references()
    # Its key stays as it is, so whoever stores a request for it does not wait.
    row = Application.objects.select_for_update(no_key=True).get(pk=application.pk)
    before = _state(row)
    after: dict[str, str | bool] = {
        "name": name,
        "description": description,
        "review": review.value,
        "is open": is_open,
    }
    if before == after:
        return False
    row.name, row.description, row.review, row.is_open = name, description, review, is_open
    if before["name"] != name:
        _keep_name(row)
    row.save(update_fields=["name", "description", "review", "is_open"])
    record(
        "application.changed",
        actor=actor,
        on=AuditedObject(type="application", id=str(row.pk), label=row.name),
        now=now,
        before={key: value for key, value in before.items() if after[key] != value},
        after={key: value for key, value in after.items() if before[key] != value},
    )
    return True


def _state(application: Application) -> dict[str, str | bool]:
    return {
        "name": application.name,
        "description": application.description,
        "review": str(application.review),
        "is open": application.is_open,
    }


def _keep_name(application: Application) -> None:
    """Store a new name, also in the inventory, whose rows repeat it so that they can be sorted by it.

    The inventory comes first: whoever begins a renewal holds its entry, and then asks for the application.
    """
    InventoryEntry.objects.filter(application=application).update(application_name=application.name)
    try:
        with transaction.atomic():
            application.save(update_fields=["name"])
    except IntegrityError as error:
        raise NameTaken(f"Another application is called {application.name}. Choose another name.") from error
