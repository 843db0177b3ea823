"""What the certificate authority tells those above it. Receivers run inside the revoking transaction."""

from django.dispatch import Signal

# Arguments: certificate (Certificate), now (datetime), actor (audit.events.Actor).
certificate_revoked = Signal()
# Arguments: fingerprint (of the public key, hex), now (datetime), actor (audit.events.Actor).
public_key_compromised = Signal()
