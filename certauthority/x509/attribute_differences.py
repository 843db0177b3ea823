"""What to do about a value that is not the one that was expected, in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from .name_rules import shown

_MAX_WORDS = 200


def instruction(label: str, expected: str, found: Sequence[str]) -> str:
    """Such as ``Take “plc” away``, for a value that is wrong. ``expected`` is empty where there must be no value."""
    if not found:
        return f"Missing: add {label}={shown(expected)}" if expected else ""
    if not expected:
        return f"Take {shown(label)} away"
    if len(found) > 1:
        return f"Write {shown(label)} once: {shown(expected)}"
    missing, extra = _difference(expected, found[0])
    if not missing and extra:
        return f"Take “{shown(extra)}” away"
    if missing and not extra:
        return f"Add “{shown(missing)}”"
    if missing and extra:
        return f"Write “{shown(missing)}” instead of “{shown(extra)}”"
    return f"Write it exactly so: {shown(expected)}"


def surplus(expected: str, found: Sequence[str]) -> str:
    """The part of the only value that is too much or wrong; nothing where it cannot be told."""
    if len(found) != 1:
        return ""
    extra = _difference(expected, found[0])[1] if expected else found[0]
    return extra if extra in found[0] else ""


def _difference(expected: str, found: str) -> tuple[str, str]:
    """The words in which they differ: those of the first, and those of the second."""
    wanted, had = expected.split(maxsplit=_MAX_WORDS), found.split(maxsplit=_MAX_WORDS)
    shorter = min(len(wanted), len(had))
    start = next((place for place in range(shorter) if wanted[place] != had[place]), shorter)
    left = shorter - start
    end = next((place for place in range(left) if wanted[-1 - place] != had[-1 - place]), left)
    return " ".join(wanted[start : len(wanted) - end]), " ".join(had[start : len(had) - end])
