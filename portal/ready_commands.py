"""Commands that make a CSR for one environment of one project: those that KMP shows, too."""

from __future__ import annotations

from certauthority.x509.ready_commands import ReadyCommand, corrected_commands, default_name, ready_commands

__all__ = ["ReadyCommand", "corrected_commands", "default_name", "ready_commands"]
