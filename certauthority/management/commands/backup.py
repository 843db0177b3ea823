"""Back up the site."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from certauthority.backup.archive import NotBackedUp
from certauthority.backup.making import back_up


class Command(BaseCommand):
    help = "Write the database and the CAs' encrypted keys to one file, as they are at one moment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="such as /backups/2027-01-31.tar.gz; it must not be there yet")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = back_up(file.absolute(), now=timezone.now())
        except NotBackedUp as error:
            raise CommandError(str(error)) from error
        keys = sum(member.name.startswith("ca/") for member in manifest.members)
        self.stdout.write(f"Backed up {manifest.database} with {keys} keys of CAs to {file}.")
        self.stdout.write("Keep SECRET_KEY and CA_KEY_PASSPHRASE somewhere else: it holds neither, and needs both.")
