"""Whose webhooks a page is about: a project's, or a company's for KMP. Both have the same pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import reverse

from connect.access import company_of
from connect.companies import may_change_group_email
from connect.models import Company, User, Webhook
from connect.webhooks.administration import webhooks_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where webhooks are looked after, by somebody who may.

    ``app`` names the addresses, which take ``arguments`` before those of their own. ``base`` is the template around
    the pages, and ``context`` what it needs; ``crumbs`` lead to the list; ``about`` completes “every notice about …”.
    """

    scope: str
    company: Company
    app: str
    base: str
    about: str
    arguments: tuple[object, ...] = ()
    context: Mapping[str, object] = field(default_factory=dict)
    crumbs: tuple[tuple[str, str], ...] = ()

    def path(self, name: str, *arguments: object) -> str:
        """The path of one of the pages, such as ``webhook_end``."""
        return reverse(f"{self.app}:{name}", args=[*self.arguments, *arguments])

    def webhook(self, key: UUID) -> Webhook:
        """One webhook of the place. Raises 404 for any other."""
        webhook = webhooks_of(self.scope).select_related("company").filter(pk=key).first()
        if webhook is None:
            raise Http404
        return webhook


def company_place(user: User) -> Place:
    """The place of one's own company.

    Raises 403 for who is neither a Security Administrator nor a security officer of it.
    """
    company = company_of(user)
    if not may_change_group_email(user, company):
        raise PermissionDenied(
            f"Only Security Administrators and security officers of {company.name} look after its webhooks. Ask one "
            "of them."
        )
    return Place(
        scope=str(company.pk),
        company=company,
        app="connect",
        base="base.html",
        about=f"the KMP certificates and requests of {company.name}",
        crumbs=((company.name, reverse("connect:company")), ("Notices", reverse("connect:company_notices"))),
    )
