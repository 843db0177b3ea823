"""Give the demo companies their officers, and KMP's inventory and requests."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from certauthority.errors import CAError
from connect.demo import DEMO_ACCOUNTS
from connect.demo_access import create_demo_access
from connect.expiry.scan import scan
from connect.models import AccessRequest, User
from kmp.demo import create_demo_inventory
from kmp.models import CertificateRequest


class Command(BaseCommand):
    help = "Fill KMP with demo data where the demo accounts are and nothing has been asked for yet."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("Demo data is only made in demo mode: its accounts share a known password.")
        addresses = [account.email for account in DEMO_ACCOUNTS]
        people = {user.email: user for user in User.objects.filter(email__in=addresses).select_related("company")}
        if len(people) < len(addresses):
            self.stdout.write("The demo accounts are not all there: no demo data was made for KMP.")
            return
        if AccessRequest.objects.exists() or CertificateRequest.objects.exists():
            self.stdout.write("KMP is in use already: no demo data was made.")
            return
        now = timezone.now()
        try:
            with transaction.atomic():
                create_demo_access(people, now)
                create_demo_inventory(people, now=now)
        except CAError as error:
            raise CommandError(str(error)) from error
        # What is due at the start is told at the start, so that the first jump of a clock shows its own doing alone.
        scan(now=now)
        self.stdout.write("Created the demo data of KMP.")
