"""Create the CA hierarchy, or the next generation of an issuing CA."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority import authorities, crl_shards, revocation_lists, signers
from certauthority.errors import CAError
from certauthority.models.authority import AuthorityPurpose
from certauthority.ocsp import responders
from certauthority.x509.profile import add_months

# Demo certificates that have expired must have been inside their issuer's validity.
DEMO_BEGINS_MONTHS_AGO = 60


class Command(BaseCommand):
    help = "Create the root and the issuing CAs where they are missing, and prove that their keys can be used."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--demo", action="store_true", help="let the hierarchy begin five years ago")
        parser.add_argument(
            "--next-generation",
            choices=[purpose.value for purpose in authorities.ISSUING],
            help="create the CA that takes over from this one",
        )

    def handle(self, *args: Any, demo: bool, next_generation: str | None, **options: Any) -> None:
        now = timezone.now()
        if demo and not settings.DEMO:
            raise CommandError("--demo is for demo mode. In production the hierarchy begins today.")
        begin = add_months(now, -DEMO_BEGINS_MONTHS_AGO) if demo else now
        try:
            if next_generation:
                created = [authorities.create_next_generation(AuthorityPurpose(next_generation), now=now)]
                # Its certificates name its CRLs from the first on: they must be there before them.
                for scope in crl_shards.scopes_of(created[0]):
                    revocation_lists.publish(scope.authority, shard=scope.shard, now=now)
            else:
                created = authorities.create_hierarchy(begin=begin, now=now)
            signers.self_test()
            # Installations that are older than OCSP get their responders here, at their next start.
            responders.renew_due(now=now)
        except CAError as error:
            raise CommandError(str(error)) from error
        for authority in created:
            self.stdout.write(f"Created {authority.label} ({authority.name}).")
