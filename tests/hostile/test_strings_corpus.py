"""Naughty strings in every box of every form, and in the subject of a CSR: no failure, and never markup."""

from __future__ import annotations

import itertools
import re
import time
import warnings
from html import unescape

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.db import transaction
from django.test import Client
from django.urls import reverse

from portal.models import Credential
from tests import corpus
from tests.factories import make_project
from tests.hostile.forms_found import FoundForm
from tests.whole_site import WholeSite

KEY = ec.generate_private_key(ec.SECP256R1())
OWN = [
    "a\x00b",
    "\x00",
    "a\u202eb",
    "\u2066a\u2069",
    "a\x1b[31mb",
    "a\x85b",
    "a\r\nSet-Cookie: x=1",
    "a\u2028b",
    "раураl",
    "ａｌｉａｓ",
    "\ufeffa",
    "\udcffa".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    "<script>alert('own')</script>",
    "\"><img src=x onerror=alert('own')>",
    "' onfocus=alert('own') autofocus='",
    "javascript:alert('own')",
    "{{ request.user.password }}{% debug %}",
    '=HYPERLINK("http://evil.example")',
    "%s%n%x",
    "🦊" * 32,
    "Z̮̞̠͙͔ͅA̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "x" * 65,
]
# Words that only a string with markup of its own puts on a page.
_MARKUP = re.compile(r"[<\"'].*[A-Za-z]")


def naughty() -> list[str]:
    """The big list of naughty strings, without its comments."""
    lines = corpus.read("strings/blns.txt").decode().split("\n")
    return [line for line in lines if line and not line.startswith("#")]


def problem_of(client: Client, form: FoundForm, site: WholeSite, text: str) -> str:
    """Fill every box with the text, send the form, and undo whatever it did."""
    boxes = dict.fromkeys(form.boxes, text) | dict.fromkeys(form.choices, text)
    with transaction.atomic():
        response = client.post(form.action, form.filled(site, **boxes))
        where = response.headers.get("Location", "")
        body = client.get(where).content.decode() if where.startswith("/") else response.content.decode()
        transaction.set_rollback(True)
    if response.status_code not in (200, 302):
        return f"{form.action}: {response.status_code} for {text[:60]!r}"
    if any("\r" in value or "\n" in value for value in response.headers.values()):
        return f"{form.action}: a header of several lines for {text[:60]!r}"
    if len(text) > 8 and _MARKUP.search(text) and text in body and unescape(text) == text:
        return f"{form.action}: unescaped {text[:60]!r}"
    return ""


def test_naughty_strings_in_every_box(site: WholeSite, forms: list[FoundForm]) -> None:
    """Our own worst go into every form, and those of the list into one form after the other."""
    clients = {person: site.client(person) for person in {form.person for form in forms}}
    typed = [form for form in forms if form.boxes]
    listed = naughty()
    assert len(listed) > 480
    pairs = [*itertools.product(typed, OWN), *zip(itertools.cycle(typed), listed, strict=False)]
    problems = [problem_of(clients[form.person], form, site, text) for form, text in pairs]
    assert not any(problems), "\n".join(filter(None, problems))


def csr_of(text: str) -> str:
    """A CSR with the text in common name, organisation and unit."""
    names = [(NameOID.ORGANIZATION_NAME, text), (NameOID.ORGANIZATIONAL_UNIT_NAME, text), (NameOID.COMMON_NAME, text)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # The library says that the text is too long, which is what is wanted here.
        attributes = [x509.NameAttribute(oid, value, _validate=False) for oid, value in names]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes)).sign(KEY, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("page", ["paste_csr", "check_csr", "clinic"])
def test_naughty_strings_in_the_subject_of_a_csr(site: WholeSite, page: str) -> None:
    client = site.client("admin")
    place = [] if page == "clinic" else [site.project.pk, "sandbox"]
    url = reverse(f"portal:{page}", args=place)
    held = set(Credential.objects.filter(project=site.project))
    problems = []
    for text in [*OWN, *naughty()[::6]]:
        form = {"alias": "odd", "csr": csr_of(text), "environment": "sandbox", "project": str(site.project.pk)}
        response = client.post(url, form)
        body = response.content.decode()
        if response.status_code != 200:
            problems.append(f"{response.status_code} for {text[:60]!r}")
        if len(text) > 8 and _MARKUP.search(text) and text in body and unescape(text) == text:
            problems.append(f"unescaped {text[:60]!r}")
        if any(character in body for character in "\x00\x1b\u202e\u2066\u2028"):
            problems.append(f"a character that cannot be seen for {text[:60]!r}")
    assert not problems, "\n".join(problems)
    assert set(Credential.objects.filter(project=site.project)) == held


@pytest.mark.parametrize("text", [text for text in OWN if text.isprintable() and 8 < len(text) <= 64])
def test_a_project_may_have_any_name_that_can_be_seen(site: WholeSite, text: str) -> None:
    """The name then stands on every page of the project, in commands for three shells, and in the rules."""
    project = make_project(admin=site.admin, name=text)
    client = site.client("admin")
    pages = ["project", "project_delete", "team", "activity"]
    urls = [reverse(f"portal:{page}", args=[project.pk]) for page in pages]
    pages = ["credentials", "add_certificate", "paste_csr", "upload_csr", "upload_certificate"]
    urls += [reverse(f"portal:{page}", args=[project.pk, "sandbox"]) for page in pages]
    for url in [*urls, reverse("portal:projects"), reverse("portal:clinic")]:
        response = client.get(url)
        assert response.status_code == 200, url
        if _MARKUP.search(text):
            assert text not in response.content.decode(), url


@pytest.mark.parametrize(
    "text", ["a" * 100_000 + "!", " " * 100_000, "a@" * 50_000, "-----BEGIN " * 9_000, "M" * 100_000]
)
def test_a_hundred_thousand_characters_in_any_box_cost_little(
    site: WholeSite, forms: list[FoundForm], text: str
) -> None:
    clients = {person: site.client(person) for person in {form.person for form in forms}}
    slow = []
    for form in forms:
        for box in form.boxes:
            begin = time.process_time()
            response = clients[form.person].post(form.action, form.filled(site, **{box: text}))
            spent = time.process_time() - begin
            assert response.status_code in (200, 302), (form.action, box)
            if spent > 1.5:
                slow.append(f"{box} of {form.action}: {spent:.2f} s")
    assert not slow, "\n".join(slow)
