"""Publish CRLs without a worker, as the start of the site does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority import revocation_lists
from certauthority.errors import CAError
from certauthority.models import Authority


class Command(BaseCommand):
    help = "Publish a new CRL for every authority, or with --if-due only where one is missing or soon stale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-due", action="store_true", help="leave CRLs alone that are fresh and complete")

    def handle(self, *args: Any, if_due: bool, **options: Any) -> None:
        now = timezone.now()
        rows = revocation_lists.due(now=now) if if_due else Authority.objects.all()
        try:
            for authority in rows:
                crl = revocation_lists.publish(authority, now=now)
                if crl is not None:
                    self.stdout.write(f"Published CRL {crl.number} of {authority.label}, {crl.entries} entries.")
        except CAError as error:
            raise CommandError(str(error)) from error
