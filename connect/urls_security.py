"""Addresses of `Sign-in and security`. allauth itself leads to ``mfa_authenticate`` and ``account_reauthenticate``."""

from __future__ import annotations

from django.urls import path

from connect.views import recovery_codes, second_factors, second_step, sessions, unsent

urlpatterns = [
    path("second-step/", second_step.second_step, name="mfa_authenticate"),
    path("confirm/", second_step.confirm_it_is_you, name="account_reauthenticate"),
    path("security/", second_factors.security, name="account_security"),
    path("security/app/", second_factors.set_up_app, name="account_totp"),
    path("security/passkey/", second_factors.add_passkey, name="account_passkey_add"),
    path("security/passkey/<int:factor_id>/", second_factors.rename_passkey, name="account_passkey"),
    path("security/remove/<int:factor_id>/", second_factors.remove_factor, name="account_factor_remove"),
    path("security/recovery-codes/", recovery_codes.recovery_codes, name="account_recovery_codes"),
    path("security/recovery-codes/download/", recovery_codes.download, name="account_recovery_codes_file"),
    path("sessions/", sessions.sessions, name="account_sessions"),
    path("unsent/", unsent.unsent, name="account_unsent"),
]
