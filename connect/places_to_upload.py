"""Where a person may put a certificate that was made elsewhere.

Apps that know such places register a function here when they start (``AppConfig.ready``), and apps that make
certificates ask for the places, so that neither has to know the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain

from connect.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """A page that takes a certificate, and what it belongs to, in words."""

    name: str
    environment: str
    url: str


Finder = Callable[[User, str], Iterable[Place]]
_finders: dict[str, Finder] = {}


def register(app: str, finder: Finder) -> None:
    """Let an app name its places. It is given the person, and the environment as common names have it: MTF or PROD."""
    _finders[app] = finder


def places_for(user: User, environment_code: str) -> list[Place]:
    """The places of all apps where this person may upload a certificate for this environment."""
    return list(chain.from_iterable(finder(user, environment_code) for finder in _finders.values()))
