"""What a secret that somebody chose must be, wherever it is chosen: in the environment or at a prompt."""

from __future__ import annotations

# A passphrase is stretched by PKCS#8, so that this many characters are enough.
PASSPHRASE_CHARACTERS = 16
# Fewer different ones were typed and not drawn, however many there are in all (as Django's check security.W009 has it).
DIFFERENT_CHARACTERS = 5
# Words of secrets that were copied from an example: such a secret is known to everybody.
EXAMPLE_WORDS = ("insecure", "rehearsal", "changeme", "change-me", "example", "secret-key", "password")


def is_easily_guessed(secret: str, *, characters: int) -> bool:
    """Whether a secret is shorter than so many characters, repeats a few of them, or was copied from an example."""
    is_poor = len(secret) < characters or len(set(secret)) < DIFFERENT_CHARACTERS
    return is_poor or any(word in secret.lower() for word in EXAMPLE_WORDS)
