"""Cookies are read by no script, sent by no other site, and in production never without TLS."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from tests.factories import PASSWORD
from tests.whole_site import WholeSite


def test_every_cookie_is_kept_from_scripts_and_other_sites(site: WholeSite) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": site.reader.email, "password": PASSWORD})
    client.get("/projects/")
    cookies = {name: cookie for name, cookie in client.cookies.items() if cookie.value}
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME} <= set(cookies)
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] in ("Lax", "Strict"), name
        assert not cookie["domain"], f"{name} goes to this host alone"


def test_with_https_they_are_sent_over_tls_alone() -> None:
    assert settings.SESSION_COOKIE_SECURE == settings.CSRF_COOKIE_SECURE == settings.HTTPS
