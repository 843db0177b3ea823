"""Behind a proxy the client's own address counts, and without one nobody can choose his own."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from pytest_django import Settings

from audit.models import AuditEvent
from connect.client_addresses import ClientAddressMiddleware
from tests.factories import PASSWORD, make_user


def seen(**meta: str) -> str:
    """The address that a view gets to see."""
    addresses: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        addresses.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    request = RequestFactory().get("/")
    request.META |= {"REMOTE_ADDR": "10.0.0.1", **meta}
    ClientAddressMiddleware(view)(request)
    return addresses[0]


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        ("192.0.2.4", "192.0.2.4"),
        (" 2001:0db8::1 ", "2001:db8::1"),
        ("::ffff:192.0.2.4", "192.0.2.4"),
        ("", "10.0.0.1"),
        ("192.0.2.4, 192.0.2.5", "10.0.0.1"),
        ("localhost", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_its_header_counts(settings: Settings, sent: str, address: str) -> None:
    settings.BEHIND_PROXY = True
    assert seen(HTTP_X_REAL_IP=sent) == address


def test_without_a_proxy_the_header_is_anybodys(settings: Settings) -> None:
    settings.BEHIND_PROXY = False
    assert seen(HTTP_X_REAL_IP="192.0.2.4") == "10.0.0.1"


def test_the_log_of_sign_ins_names_the_client(client: Client, db: None, settings: Settings) -> None:
    settings.BEHIND_PROXY = True
    user = make_user()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD}, headers={"x-real-ip": "192.0.2.77"})
    assert AuditEvent.objects.filter(address="192.0.2.77").exists()
