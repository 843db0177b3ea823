"""Which addresses a webhook may have."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django import Settings

from connect.webhooks.addresses import is_allowed, is_public
from connect.webhooks.destination import URL_LENGTH, destination_of, site_of
from connect.webhooks.errors import WebhookRefused

PUBLIC = ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "198.17.0.1"]
PUBLIC += ["223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:80b::200e", "2003::1", "2400:cb00::1"]
PRIVATE = ["10.0.0.1", "127.0.0.1", "127.255.255.254", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"]
PRIVATE += ["100.100.100.200", "100.127.255.255", "::1", "fc00::1", "fd00:ec2::254", "fdff::1"]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "169.254.169.254",
    "169.254.0.1",
    "168.63.129.16",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:1.1.1.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::",
    "3fff::1",
    "5f00::1",
    "fe80::1",
    "fe80::1%eth0",
    "2606:4700:4700::1111%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str, settings: Settings) -> None:
    assert is_public(ip_address(text))
    for settings.WEBHOOK_ALLOW_PRIVATE in (False, True):
        assert is_allowed(ip_address(text))


@pytest.mark.parametrize("text", PRIVATE)
def test_private_ones_need_the_setting(text: str, settings: Settings) -> None:
    assert not is_public(ip_address(text))
    assert not is_allowed(ip_address(text))
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert is_allowed(ip_address(text))


@pytest.mark.parametrize("text", NEVER)
def test_others_are_never_allowed(text: str, settings: Settings) -> None:
    for settings.WEBHOOK_ALLOW_PRIVATE in (False, True):
        assert not is_allowed(ip_address(text))


@given(st.ip_addresses())
def test_what_is_public_is_so_for_python_too(address: object) -> None:
    found = ip_address(str(address))
    if is_public(found):
        assert found.is_global
        assert not any((found.is_multicast, found.is_reserved, found.is_loopback, found.is_link_local))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("HTTPS://Hooks.Example.COM./a", "https://hooks.example.com/a"),
        ("https://hooks.example.com:443/", "https://hooks.example.com/"),
        ("https://hooks.example.com:8443/a/b?c=d&e=%20f", "https://hooks.example.com:8443/a/b?c=d&e=%20f"),
        ("https://hooks.example.com?token=x", "https://hooks.example.com/?token=x"),
        ("https://bücher.example/für", "https://xn--bcher-kva.example/f%C3%BCr"),
        ("https://93.184.216.34/x", "https://93.184.216.34/x"),
        ("https://[2606:4700:4700:0::1111]:99/", "https://[2606:4700:4700::1111]:99/"),
    ],
)
def test_an_address_is_kept_in_one_form(typed: str, kept: str) -> None:
    assert destination_of(typed).url == kept
    assert destination_of(kept).url == kept
    assert destination_of(kept).site == site_of(kept)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Type an address"),
        ("https://" + "a" * 500 + ".example", "at most 500"),
        ("https://ü.example/" + "ü" * 200, "in ASCII"),
        ("hooks.example.com/path", "must begin with https://"),
        ("http://hooks.example.com/", "Use https://"),
        ("ftp://hooks.example.com/", "must begin with https://"),
        ("file:///etc/passwd", "must begin with https://"),
        ("javascript:alert(1)", "must begin with https://"),
        ("https:///path", "names no host"),
        ("https://", "names no host"),
        ("https://:443/", "names no host"),
        ("https://-a.example/", "names no host"),
        ("https://a..example/", "names no host"),
        ("https://user@hooks.example.com/", "before the @"),
        ("https://user:word@hooks.example.com/", "before the @"),
        ("https://1.1.1.1@10.0.0.1/", "before the @"),
        ("https://hooks.example.com/#part", "Take away the #"),
        ("https://hooks.example.com:0/", "no port 0"),
        ("https://hooks.example.com:65536/", "This is no address"),
        ("https://hooks.example.com:x/", "This is no address"),
        ("https://[::1/", "This is no address"),
        ("https://hooks.example.com\\@10.0.0.1/", "another character"),
        ("https://hooks.example.com/a b", "a space"),
        ("https://hooks.example.com/\r\nHost: x", "a space"),
        ("https://hooks.example.com/\x00", "another character"),
        ("https://127.0.0.1/", "not a public address"),
        ("https://[::1]/", "not a public address"),
        ("https://[::ffff:10.0.0.1]/", "not a public address"),
        ("https://[fe80::1%25eth0]/", "This is no address|not a public address|names no host"),
        ("https://169.254.169.254/latest/meta-data/", "not a public address"),
        ("https://2130706433/", "names no host"),
        ("https://127.1/", "names no host"),
        ("https://0x7f.0.0.1/", "names no host"),
        ("https://0177.0.0.01/", "names no host"),
        ("https://127.0.0.0x1/", "names no host"),
        ("https://１２７.0.0.1/", "names no host|not a public address"),
        ("https://localhost/", "a private network"),
        ("https://redis:6379/", "a private network"),
    ],
)
def test_what_is_no_address_for_a_webhook_is_refused_with_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(WebhookRefused, match=sentence):
        destination_of(typed)


def test_the_setting_allows_plain_http_and_names_inside(settings: Settings) -> None:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    assert destination_of("http://receiver:8080/x").url == "http://receiver:8080/x"
    assert destination_of("http://127.0.0.1/").url == "http://127.0.0.1/"
    with pytest.raises(WebhookRefused, match="not a public address"):
        destination_of("http://169.254.169.254/")


HOSTILE = st.text(max_size=80) | st.from_regex(r"https?://[^ ]{0,60}(:[0-9]{1,6})?(/[^ ]{0,40})?", fullmatch=True)


@given(HOSTILE)
@example("https://a.example/\u2028")
@example("https://[v1.a]/")
@example("https://a.example:٣/")
@example("https://xn--a.example/")
def test_whatever_is_typed_is_refused_in_words_or_read_one_way(typed: str) -> None:
    try:
        found = destination_of(typed)
    except WebhookRefused:
        return
    assert found.scheme == "https"
    assert found.url.isascii()
    assert found.url.isprintable()
    assert " " not in found.url
    assert len(found.url) <= URL_LENGTH
    parts = urlsplit(found.url)
    assert (parts.hostname, parts.port or 443) == (found.host, found.port)
    assert parts.username is None
    assert destination_of(found.url) == found
