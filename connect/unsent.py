"""A form that was sent when its session had ended: kept until its person has signed in, and then offered to be sent.

It is kept in the session that begins with the sign-in, encrypted, without passwords, codes, private keys and files.
Only who was signed in before gets it back, so that nobody fills the database without an account.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass

from django.http import HttpRequest

from certauthority.errors import CAError
from certauthority.sealing import seal, unseal
from certauthority.x509.sniffing import holds_key_material
from connect.models import User

MAX_CHARACTERS = 64 * 1024
_KEY, _PURPOSE = "unsent_form", "connect.unsent"
_OF_THE_PAGE = "csrfmiddlewaretoken"
_NEVER_KEPT = re.compile(r"password|^code$|^credential$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unsent:
    """``address`` is where the form goes; ``left_out`` are the names of what has to be typed or chosen again."""

    user: str
    address: str
    fields: list[tuple[str, str]]
    left_out: list[str]


def keep(request: HttpRequest, *, user: str) -> bool:
    """Keep what was sent, for whose session has ended; False for what is larger than anybody types."""
    fields, left_out = [], sorted(request.FILES)
    for name, values in request.POST.lists():
        if name == _OF_THE_PAGE:
            continue
        if _NEVER_KEPT.search(name) or any(holds_key_material(value.encode()) for value in values):
            left_out.append(name)
            continue
        fields += [(name, value) for value in values]
    if sum(len(name) + len(value) for name, value in fields) > MAX_CHARACTERS:
        return False
    unsent = Unsent(user, request.get_full_path(), fields, left_out)
    request.session[_KEY] = seal(json.dumps(asdict(unsent)), purpose=_PURPOSE)
    return True


def kept(request: HttpRequest, user: User) -> Unsent | None:
    """What is kept for this person."""
    sealed = request.session.get(_KEY)
    if sealed is None:
        return None
    try:
        found = json.loads(unseal(sealed, purpose=_PURPOSE))
    except CAError:
        return None  # The site's secret has changed meanwhile.
    unsent = Unsent(**{**found, "fields": [(name, value) for name, value in found["fields"]]})
    return unsent if unsent.user == str(user.pk) else None


def forget(request: HttpRequest) -> None:
    """Keep nothing any more."""
    request.session.pop(_KEY, None)
