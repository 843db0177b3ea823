"""Fixtures of the Key Management Portal."""

from __future__ import annotations

import pytest

from kmp.applications import create_applications
from kmp.models import Application


@pytest.fixture
def applications(db: None) -> dict[str, Application]:
    """The applications of every site with their DN requirements, by code."""
    create_applications()
    return {application.code: application for application in Application.objects.all()}
