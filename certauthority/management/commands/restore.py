"""Restore a backup."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority.backup.archive import NotRestored
from certauthority.backup.restoring import restore


class Command(BaseCommand):
    help = "Fill an empty database and CA directory from a file that manage.py backup wrote."
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--believe-unsigned",
            action="store_true",
            help="restore although the file was signed with another SECRET_KEY; what was sealed with that one is lost",
        )

    def handle(self, *args: Any, file: Path, believe_unsigned: bool, **options: Any) -> None:
        try:
            manifest = restore(file.absolute(), now=timezone.now(), believe_unsigned=believe_unsigned)
        except NotRestored as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored what the site was at {manifest.made_at}.")
        if manifest.signer == "pkcs11":
            self.stdout.write("The keys of its CAs are in a token, and not in the backup.")
        self._publish()
        self.stdout.write(
            "What was issued or revoked after that is not known here: revoke again what the last published CRLs list, "
            "and then run manage.py publish_revocation_lists."
        )

    def _publish(self) -> None:
        """New lists at once: those of the backup have lower numbers than others that were published since."""
        try:
            call_command("publish_revocation_lists", stdout=self.stdout)
        except CommandError as error:
            self.stderr.write(
                f"No new CRLs could be published: {error} Run manage.py publish_revocation_lists before you start the "
                "site: until then it would give out the lists of the backup, whose numbers are lower than the last."
            )
