"""The cards of the Store and of My Items, as they stand for one person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connect.catalogue import APPLICATIONS, StoreApplication
from connect.models import AccessRequest, AccessState, User

_TOLD = (AccessState.REFUSED, AccessState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Card:
    """An application, and the last request of the person for it (a cancelled one counts as none)."""

    application: StoreApplication
    request: AccessRequest | None = None

    @property
    def level_label(self) -> str:
        """What the person asked to be."""
        if self.request is None:
            return ""
        level = self.application.level(self.request.level)
        return level.label if level else self.request.level

    @property
    def may_open(self) -> bool:
        """Whether it opens for this person."""
        is_granted = self.request is not None and self.request.state == AccessState.GRANTED
        return not self.application.is_requested or is_granted

    @property
    def is_pending(self) -> bool:
        """Whether somebody has still to decide."""
        return self.request is not None and self.request.state == AccessState.PENDING

    @property
    def is_told_why(self) -> bool:
        """Whether access was refused or withdrawn, so that the reason is shown and it can be requested again."""
        return self.request is not None and self.request.state in _TOLD

    @property
    def may_request(self) -> bool:
        """Whether the person can ask for it now."""
        return not self.may_open and not self.is_pending


def cards_of(user: User, applications: Iterable[StoreApplication]) -> list[Card]:
    """A card for each application."""
    last = _last_requests(user)
    return [Card(application, last.get(application.code)) for application in applications]


def items_of(user: User) -> list[Card]:
    """What the person may open or has asked for: first what was requested, then what is open to everybody."""
    cards = [card for card in cards_of(user, APPLICATIONS) if card.request or card.may_open]
    return sorted(cards, key=lambda card: not card.application.is_requested)


def _last_requests(user: User) -> dict[str, AccessRequest]:
    """The last request of the person at the present company, for each application."""
    requests = AccessRequest.objects.filter(user=user, company=user.company_id)
    told = requests.exclude(state=AccessState.CANCELLED).select_related("decided_by")
    return {request.application: request for request in told.order_by("requested_at", "pk")}
