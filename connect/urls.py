"""Addresses of sign-in. Only what this site has: registration is closed, and staff set forgotten passwords anew."""

from __future__ import annotations

from allauth.account import views
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from connect.forms import PasswordForm
from connect.private_key_guard import names_private_keys
from connect.views.account import SignInView

urlpatterns = [
    path("login/", names_private_keys(fields=["login"])(SignInView.as_view()), name="account_login"),
    # Also for those whose session has ended: they want to be signed out, not asked to sign in first.
    path("logout/", login_not_required(views.logout), name="account_logout"),
    path("", include("connect.urls_security")),
    path("password/", views.PasswordChangeView.as_view(form_class=PasswordForm), name="account_change_password"),
]
