"""Where a person may put a certificate that was made elsewhere.

Apps that know such places register a function here when they start (``AppConfig.ready``), and apps that make
certificates ask for the places, so that neither has to know the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from connect.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A page that takes a certificate, and what it belongs to, in words.

    ``replaces`` names what is live there with the certificate before this one, so that the page begins a rotation.
    """

    name: str
    environment: str
    url: str
    replaces: str = ""


Finder = Callable[[User, str, UUID | None], Iterable[Place]]
_finders: dict[str, Finder] = {}


def register(app: str, finder: Finder) -> None:
    """Let an app name its places.

    It is given the person, the environment as common names have it (MTF or PROD), and the key of the certificate that
    the new one takes over from, if there is one.
    """
    _finders[app] = finder


def places_for(user: User, environment_code: str, *, before: UUID | None = None) -> list[Place]:
    """The places of all apps where this person may upload a certificate for this environment.

    Those where the certificate with the key ``before`` is live come first.
    """
    found = chain.from_iterable(finder(user, environment_code, before) for finder in _finders.values())
    return sorted(found, key=lambda place: not place.replaces)
