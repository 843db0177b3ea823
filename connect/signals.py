"""What Connect tells those above it. Receivers run inside the transaction that makes the change, and can undo it."""

from django.dispatch import Signal

# Arguments: user (connect.models.User), company (Company), application (code of connect.catalogue), actor
# (audit.events.Actor), now (datetime).
access_withdrawn = Signal()
