"""`/metrics`: who may read it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.django_db
def test_it_is_told_to_this_machine(client: Client) -> None:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Via"]
)
def test_nobody_comes_through_a_proxy_by_its_address(client: Client, header: str) -> None:
    response = client.get("/metrics", headers={header: "127.0.0.1"})
    assert response.status_code == 403
    assert b"METRICS_TOKEN" in response.content
    assert b"rehearsal_" not in response.content


@pytest.mark.parametrize("address", ["192.0.2.7", "", "not an address", "::2"])
def test_nor_from_another_address(client: Client, address: str) -> None:
    assert client.get("/metrics", REMOTE_ADDR=address).status_code == 403


@pytest.mark.django_db
def test_addresses_are_chosen_in_the_settings(client: Client, settings: Settings) -> None:
    settings.METRICS_ADDRESSES = (ip_network("192.0.2.0/24"),)
    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get("/metrics").status_code == 403


@pytest.mark.django_db
def test_a_token_opens_it_from_everywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token of the tests"
    assert (
        client.get(
            "/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer a token of the tests"}
        ).status_code
        == 200
    )
    for wrong in ("Bearer another", "Bearer ", "Basic a token of the tests", "Bearer tökén", ""):
        assert client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": wrong}).status_code == 403


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", ""])
def test_no_token_opens_nothing(client: Client, given: str) -> None:
    response = client.get("/metrics", REMOTE_ADDR="192.0.2.7", headers={"Authorization": given})
    assert response.status_code == 403
