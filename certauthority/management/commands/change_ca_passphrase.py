"""Encrypt the key files of CAs and OCSP responders with another passphrase."""

from __future__ import annotations

import getpass
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from certauthority.chosen_secrets import PASSPHRASE_CHARACTERS, is_easily_guessed
from certauthority.errors import CAError
from certauthority.signers import passphrase


class Command(BaseCommand):
    help = (
        "Encrypt every key file in the CA directory with a new passphrase: all of them or none. The old one is "
        "CA_KEY_PASSPHRASE. Afterwards set CA_KEY_PASSPHRASE to the new one, and restart every process that signs."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-passphrase-file",
            type=Path,
            help="a file whose text, without white space around it, is the new passphrase; else it is asked for",
        )

    def handle(self, *args: Any, new_passphrase_file: Path | None, **options: Any) -> None:
        old = str(settings.CA_KEY_PASSPHRASE)
        if not old:
            raise CommandError("CA_KEY_PASSPHRASE is not set. Set it to the passphrase that is to be changed.")
        new = _asked() if new_passphrase_file is None else _read(new_passphrase_file)
        if new == old:
            raise CommandError("The new passphrase is the old one. Choose another.")
        if is_easily_guessed(new, characters=PASSPHRASE_CHARACTERS):
            raise CommandError(
                f"The new passphrase is too short or was copied from an example. Take at least {PASSPHRASE_CHARACTERS} "
                "random characters."
            )
        try:
            changed = passphrase.change(old=old, new=new)
        except CAError as error:
            raise CommandError(str(error)) from error
        for name in changed:
            self.stdout.write(f"Encrypted {name} anew.")
        if not changed:
            self.stdout.write("Every key file opens with the new passphrase already.")
        self.stdout.write("Now set CA_KEY_PASSPHRASE to the new passphrase, and restart every process that signs.")
        if settings.DEMO:
            self.stdout.write(f"A demo site keeps it in {settings.STATE_DIR}/secrets/ca_key_passphrase.")


def _asked() -> str:
    new = getpass.getpass("New passphrase: ").strip()
    if getpass.getpass("The same again: ").strip() != new:
        raise CommandError("These were two different passphrases. Nothing was changed.")
    return new


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as a text. Name a file that holds the new passphrase.") from error
