"""Sign in and change a password: django-allauth's views with this site's forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.account.views import LoginView
from django.conf import settings
from django.http import HttpResponse

from connect.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, DemoAccount
from connect.forms import SignInForm
from connect.models import User
from connect.views.errors import status_of


@dataclass(frozen=True, slots=True)
class DemoRow:
    """A demo account that exists, for the list on the sign-in page."""

    account: DemoAccount
    user: User


class SignInView(LoginView):
    """The sign-in page; in demo mode it also lists the demo accounts."""

    form_class = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """The page again, with what was wrong; 503 where nothing was, and Redis is away."""
        response: HttpResponse = super().form_invalid(form)
        response.status_code = status_of(form)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = dict(super().get_context_data(**kwargs))
        if settings.DEMO:
            context["demo_rows"] = demo_rows()
            context["demo_password"] = DEMO_PASSWORD
        return context


def demo_rows() -> list[DemoRow]:
    """The demo accounts that are in the database and may sign in, in their usual order."""
    emails = [account.email for account in DEMO_ACCOUNTS]
    users = {
        user.email: user for user in User.objects.filter(email__in=emails, is_active=True).select_related("company")
    }
    return [DemoRow(account, users[account.email]) for account in DEMO_ACCOUNTS if account.email in users]
