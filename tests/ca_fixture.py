"""Fixture: the CA hierarchy."""

from __future__ import annotations

import pytest

from certauthority.models import Authority
from tests.kept_hierarchy import put_or_make


@pytest.fixture
def authorities(db: None) -> dict[str, Authority]:
    """Root, Developers CA, KMP CA and Services CA, five years old, each with a CRL; by name.

    Their keys stay in the state directory for the whole run, and the rest for a minute (tests/kept_hierarchy.py).
    """
    put_or_make()
    return {authority.name: authority for authority in Authority.objects.select_related("certificate")}
