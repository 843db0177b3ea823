"""What the distinguished names of an application's certificates must be: from rows to rules, and changed by staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from django.db import transaction

from audit.events import Actor, AuditedObject, JsonScalar, record
from certauthority.x509.attribute_rules import AttributeKind, AttributeRule, DnRules
from certauthority.x509.errors import ProfileError
from certauthority.x509.keys import KeyType
from certauthority.x509.name_rules import judge_name
from certauthority.x509.names import encode_subject, read_name
from certauthority.x509.verdicts import broken
from connect.models import Company
from kmp.errors import RequirementImpossible
from kmp.models import Application, DnAttribute, DnRequirement, Environment, Profile

# Whose values stand where there is no company to show: staff need not belong to one.
SAMPLE_COMPANY = Company(name="Example Company Ltd", cid="123456", country="GB")
_LONGEST_COMPANY = Company(name="W" * 64, cid="9" * 10, country="GB")
_EPOCH_TIME = "1700000000"


def requirement_of(application: Application, environment: str, profile: str = Profile.CLIENT) -> DnRequirement | None:
    """The requirement for this application, environment and profile; None where nothing can be requested."""
    found = DnRequirement.objects.filter(application=application, environment=environment, profile=profile)
    return found.select_related("application").prefetch_related("attributes").first()


def rules_of(requirement: DnRequirement, company: Company) -> DnRules:
    """The requirement with this company's name, CID and country."""
    return _rules(
        [_rule_of(row) for row in requirement.attributes.all()],
        requirement.key_types,
        requirement=requirement,
        company=company,
        cid=company.certificate_cid,
    )


def sample_rules_of(requirement: DnRequirement) -> DnRules:
    """The requirement with the values of a company that does not exist."""
    rules = [_rule_of(row) for row in requirement.attributes.all()]
    company = SAMPLE_COMPANY
    return _rules(rules, requirement.key_types, requirement=requirement, company=company, cid=company.cid or "")


@transaction.atomic
def change_requirement(
    requirement: DnRequirement,
    *,
    attributes: Sequence[AttributeRule],
    key_types: Sequence[str],
    actor: Actor,
    now: datetime,
) -> bool:
    """Replace the rules. Requests that were sent in before are judged by the new ones. False where nothing changes.

    Raises:
        RequirementImpossible: no request could meet them.
    """
    row = DnRequirement.objects.select_for_update().select_related("application").get(pk=requirement.pk)
    kept = [rule for rule in attributes if rule.kind != AttributeKind.FORBIDDEN]
    check_rules(kept, key_types, requirement=row)
    before = _in_words([_rule_of(attribute) for attribute in row.attributes.all()], row.key_types)
    after = _in_words(kept, key_types)
    if before == after:
        return False
    row.key_types = list(key_types)
    row.save(update_fields=["key_types"])
    row.attributes.all().delete()
    store_rules(row, kept)
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    record(
        "dn-requirement.changed",
        actor=actor,
        on=AuditedObject(type="dn-requirement", id=str(row.pk), label=str(row)),
        now=now,
        before={name: before.get(name) for name in changed},
        after={name: after.get(name) for name in changed},
    )
    return True


def store_rules(requirement: DnRequirement, rules: Sequence[AttributeRule]) -> None:
    """Write the rules of a requirement that has none."""
    DnAttribute.objects.bulk_create(
        DnAttribute(
            requirement=requirement,
            label=rule.label,
            kind=rule.kind,
            value=rule.value,
            is_optional=rule.is_optional,
            max_length=rule.max_length,
        )
        for rule in rules
    )


def check_rules(rules: Sequence[AttributeRule], key_types: Sequence[str], *, requirement: DnRequirement) -> None:
    """See that a company with the longest name and CID could make a subject that keeps every rule.

    Raises:
        RequirementImpossible: it could not.
    """
    company = _LONGEST_COMPANY
    try:
        made = _rules(rules, key_types, requirement=requirement, company=company, cid=company.cid or "")
        example = read_name(encode_subject(made.example_subject(_EPOCH_TIME)))
    except ProfileError as error:
        raise RequirementImpossible(str(error)) from error
    wrong = broken((*made.judge(example), *judge_name(example)))
    if wrong:
        raise RequirementImpossible(
            f"No request could meet these rules. {wrong[0].title}: an example has “{wrong[0].found}”, and wanted is "
            f"“{wrong[0].wanted}”."
        )


def _rules(
    rules: Sequence[AttributeRule],
    key_types: Sequence[str],
    *,
    requirement: DnRequirement,
    company: Company,
    cid: str,
) -> DnRules:
    return DnRules(
        attributes=tuple(rules),
        company_name=company.name,
        cid=cid,
        country=company.country,
        environment_code=Environment(requirement.environment).code,
        key_types=cast("tuple[KeyType, ...]", tuple(key_types)),
        stem=requirement.application.code,
    )


def _rule_of(row: DnAttribute) -> AttributeRule:
    return AttributeRule(row.label, AttributeKind(row.kind), row.value, row.is_optional, row.max_length)


def _in_words(rules: Sequence[AttributeRule], key_types: Sequence[str]) -> dict[str, JsonScalar]:
    words: dict[str, JsonScalar] = {"key types": ", ".join(key_types)}
    for rule in sorted(rules, key=lambda rule: rule.label):
        optional = ", optional" if rule.is_optional else ""
        words[rule.label] = f"{rule.kind} {rule.value}".strip() + f"{optional}, at most {rule.max_length}"
    return words
