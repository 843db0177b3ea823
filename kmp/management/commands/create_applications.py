"""Create the applications that every site has from the start."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from kmp.applications import create_applications


class Command(BaseCommand):
    help = "Create the applications that are missing, with their DN requirements. What is there stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        for application in create_applications():
            self.stdout.write(f"Created {application.name} ({application.code}).")
