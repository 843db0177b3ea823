"""Publish CRLs without a worker, as the start of the site does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority import crl_shards, revocation_lists
from certauthority.errors import CAError


class Command(BaseCommand):
    help = "Publish every CRL of every authority anew, or with --if-due only where one is missing or soon stale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-due", action="store_true", help="leave CRLs alone that are fresh and complete")

    def handle(self, *args: Any, if_due: bool, **options: Any) -> None:
        now = timezone.now()
        scopes = revocation_lists.due(now=now) if if_due else crl_shards.scopes()
        try:
            for scope in scopes:
                crl = revocation_lists.publish(scope.authority, shard=scope.shard, now=now)
                if crl is not None:
                    self.stdout.write(f"Published CRL {crl.number} of {scope.label}, {crl.entries} entries.")
        except CAError as error:
            raise CommandError(str(error)) from error
