"""Addresses of pages, made fast where a page has a hundred of them that differ in an id alone.

Django matches an address against the pattern of its view each time it makes one. Here that is done once for each view
and each choice of the other parts, with ids that stand in for those to come: a UUID is written the same way everywhere.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID, uuid4

from django.conf import settings
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse

# Nobody can know them, so that no other part of an address holds one by chance or on purpose.
_STAND_INS = tuple(uuid4() for _ in range(4))
_LONGEST_PART = 64
_KINDS = (str, int, UUID)


def address_of(view: str, *parts: object, current_app: str | None = None) -> str:
    """The same as ``reverse(view, args=parts, current_app=current_app)``.

    Raises:
        NoReverseMatch: no address has such parts.
    """
    ids = [part for part in parts if isinstance(part, UUID)]
    if len(ids) > len(_STAND_INS) or not all(map(_is_plain, parts)):
        return reverse(view, args=parts, current_app=current_app)
    others = [None if isinstance(part, UUID) else part for part in parts]
    urlconf = get_urlconf() or settings.ROOT_URLCONF
    try:
        pieces = _pieces(get_script_prefix(), urlconf, current_app, view, *others)
    except NoReverseMatch:
        return reverse(view, args=parts, current_app=current_app)  # What it says names the ids themselves.
    if len(pieces) == 1:
        return pieces[0]
    return "".join([text for piece, one in zip(pieces, ids, strict=False) for text in (piece, str(one))]) + pieces[-1]


def _is_plain(part: object) -> bool:
    return isinstance(part, _KINDS) and not (isinstance(part, str) and len(part) > _LONGEST_PART)


# By type, too: 1 and "1" and True are one key otherwise.
@lru_cache(maxsize=2048, typed=True)
def _pieces(prefix: str, urlconf: str, current_app: str | None, view: str, *others: object) -> tuple[str, ...]:
    """What stands before, between and after the ids. ``prefix`` is part of what ``reverse`` writes."""
    stand_ins = iter(_STAND_INS)
    used = [one for one, part in zip(_STAND_INS, filter(lambda part: part is None, others), strict=False)]
    parts = [next(stand_ins) if part is None else part for part in others]
    rest = reverse(view, urlconf=urlconf, args=parts, current_app=current_app)
    pieces = []
    for one in used:
        piece, _, rest = rest.partition(str(one))
        pieces.append(piece)
    return (*pieces, rest)
