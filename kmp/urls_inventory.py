"""Addresses of the inventory. ``kmp.urls`` includes them."""

from __future__ import annotations

from django.urls import path

from kmp.views import entry, inventory, propagation, snooze, use

_ENTRY = "certificates/<slug:reference>/"

urlpatterns = [
    path("", inventory.inventory, name="inventory"),
    path("certificates.csv", inventory.inventory_file, name="inventory_file"),
    path(_ENTRY, entry.entry, name="entry"),
    path(f"{_ENTRY}calls/", use.entry_calls, name="entry_calls"),
    path(f"{_ENTRY}download/", entry.download, name="entry_download"),
    path(f"{_ENTRY}propagation/", propagation.entry_propagation, name="entry_propagation"),
    path(f"{_ENTRY}revoke/", entry.revoke, name="entry_revoke"),
    path(f"{_ENTRY}snooze/", snooze.snooze, name="entry_snooze"),
]
