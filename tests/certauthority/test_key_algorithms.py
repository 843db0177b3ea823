"""Every algorithm that the setting allows makes a hierarchy that issues and publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from certauthority import issuance, policy, revocation_lists
from certauthority.authorities import create_hierarchy, newest_authority
from certauthority.errors import SigningUnavailable
from certauthority.lint import lint_certificate, lint_crl
from certauthority.models.authority import AuthorityPurpose
from certauthority.records import facts_of
from certauthority.signers import KEY_ALGORITHMS
from certauthority.x509.requests import build_request, new_private_key
from certauthority.x509.subject_rules import SubjectRequirement

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("algorithm", KEY_ALGORITHMS)
def test_it_issues_and_publishes(algorithm: str, settings: Settings, tmp_path: Path) -> None:
    settings.CA_KEY_ALGORITHM = algorithm
    settings.CA_DIRECTORY = tmp_path
    now = timezone.now()
    create_hierarchy(begin=now, now=now)
    developers = newest_authority(AuthorityPurpose.DEVELOPERS)
    assert developers.certificate.key_description == algorithm
    requirement = SubjectRequirement("MTF", "123456", "Acme Payments Ltd", "Checkout API")
    csr = build_request(requirement.example_subject("1"), new_private_key())
    with transaction.atomic():
        certificate = issuance.issue(
            policy.judge_request(csr, requirement=requirement, holder="acme"),
            purpose=AuthorityPurpose.DEVELOPERS,
            now=now,
        )
    assert lint_certificate(facts_of(certificate).der) == []
    crl = revocation_lists.publish(developers, now=now)
    assert crl is not None
    assert lint_crl(bytes(crl.der)) == []


def test_an_unknown_algorithm_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.CA_KEY_ALGORITHM = "DSA"
    settings.CA_DIRECTORY = tmp_path
    with pytest.raises(SigningUnavailable, match=r"'DSA'. It must be one of EC P-256"):
        create_hierarchy(begin=timezone.now(), now=timezone.now())
