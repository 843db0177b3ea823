"""Fill an empty database with the demo companies, accounts, projects and certificates."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority.errors import CAError
from portal.demo import create_demo_data


class Command(BaseCommand):
    help = "Fill an empty database with demo data. Does nothing where there are accounts; refused in production."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo data is only made in demo mode: its accounts share a known password.")
        try:
            made = create_demo_data(now=timezone.now())
        except CAError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Created the demo data." if made else "There are accounts already: no demo data was made.")
