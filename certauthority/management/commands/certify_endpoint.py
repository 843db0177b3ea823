"""Give the live mTLS endpoint its server certificate, as the start of the site does."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority import server_certificates
from certauthority.errors import CAError


class Command(BaseCommand):
    help = "Certify the mTLS endpoint where its certificate is missing, ends soon, or names other hosts than it has."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            facts = server_certificates.certify_if_due(now=timezone.now())
        except CAError as error:
            raise CommandError(str(error)) from error
        if facts is not None:
            hosts = ", ".join(facts.subject_alternative_names)
            self.stdout.write(f"Certified the mTLS endpoint for {hosts}, until {facts.not_after:%-d %B %Y}.")
