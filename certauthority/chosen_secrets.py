"""What a secret that somebody chose must be, wherever it is chosen: in the environment or at a prompt."""

from __future__ import annotations

# A passphrase is stretched by PKCS#8, so that this many characters are enough.
PASSPHRASE_CHARACTERS = 16
# Words of secrets that were copied from an example: such a secret is known to everybody.
EXAMPLE_WORDS = ("insecure", "rehearsal", "changeme", "change-me", "example", "secret-key", "password")


def is_easily_guessed(secret: str, *, characters: int) -> bool:
    """Whether a secret is shorter than so many characters, or was copied from an example."""
    return len(secret) < characters or any(word in secret.lower() for word in EXAMPLE_WORDS)
