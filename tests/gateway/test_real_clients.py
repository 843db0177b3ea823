"""Certificates from the flows, presented to the running endpoint by the programs that their pages show."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.events import Actor
from certauthority.models import Authority, CertificateUse, ReasonCode, RevocationReason
from certauthority.x509.request_commands import request_commands
from certauthority.x509.requests import PrivateKey, new_private_key
from connect.models import Company, User
from kmp.models import InventoryEntry
from portal import revocation
from portal.models import Credential, Environment, Project
from portal.requirements import requirement_of
from tests.connect.factories import move_clock
from tests.factories import make_company, make_csr, make_project, subject_for
from tests.gateway_server import LiveGateway
from tests.keystores.browser_code import BrowserCode, running_browser_code
from tests.kmp.factories import make_entry, make_officer
from tests.portal.credential_pages import credential_url, file_of, made_in_browser, page_url, sent
from tests.shown_commands import CLIENTS, answered, panel_on, run

# Every kind of character that a shell, curl or Java might take for its own.
PASSWORD = 'a "b" $HOME `c`: d\\e!\'f#%&*'
ALIAS = "pay outs 2027"
BUNDLE = "rehearsal-services.pem"

pytestmark = pytest.mark.postgresql


@pytest.fixture
def company(authorities: dict[str, Authority]) -> Company:
    return make_company(name="Acme Payments Ltd", cid="123456", group_email="certificates@acme.example")


@pytest.fixture
def alice(company: Company) -> User:
    """An admin of the project and a security officer of her company."""
    make_officer(company)
    return make_officer(company, email="alice@acme.example", name="Alice Marlow")


@pytest.fixture
def project(alice: User) -> Project:
    return make_project(admin=alice, name="Checkout API")


@pytest.fixture
def site(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def browser_code() -> Iterator[BrowserCode]:
    with running_browser_code() as code:
        yield code


@pytest.fixture
def folder(tmp_path: Path, site: Client) -> Path:
    """Where the person works, with the bundle that every panel offers."""
    path = tmp_path / "mine"
    path.mkdir()
    (path / BUNDLE).write_bytes(site.get("/ca/services.pem").content)
    return path


def panel_of(site: Client, credential: Credential) -> dict[str, str]:
    return panel_on(site.get(credential_url("credential", credential)).content.decode())


def download(site: Client, address: str, folder: Path) -> None:
    """The file under the name that the site gives it."""
    answer = site.get(address)
    (folder / answer["Content-Disposition"].partition('filename="')[2].rstrip('"')).write_bytes(answer.content)


def files_of(site: Client, credential: Credential, folder: Path, key: PrivateKey) -> None:
    """What the panel asks for where the key is one's own."""
    for form in ("chain", "p7b"):
        download(site, credential_url("credential_download", credential, form), folder)
    (folder / f"{credential.alias}.key").write_bytes(pem_of(key))


def pem_of(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def added_by_csr(
    site: Client, project: Project, key: PrivateKey, alias: str, environment: Environment = Environment.SANDBOX
) -> Credential:
    csr = make_csr(project, environment, key=key)
    site.post(page_url("upload_csr", project, environment), sent(alias=alias, csr_file=file_of(csr)))
    return Credential.objects.get(alias=alias)


def verdicts(panel: dict[str, str], folder: Path, *, password: str = "") -> dict[str, tuple[str, str]]:
    """What each client is told: the reason and the alias."""
    told = {}
    for label in CLIENTS:
        answer = json.loads(answered(label, panel[label], folder, password=password))
        told[label] = (answer["verdict"]["reasonCode"], answer["alias"])
    return told


def refusals(panel: dict[str, str], folder: Path, *, password: str = "") -> dict[str, str]:
    told = {}
    for label in CLIENTS:
        (error,) = json.loads(answered(label, panel[label], folder, password=password))["Errors"]["Error"]
        told[label] = error["ReasonCode"]
    return told


def all_of(value: object) -> dict[str, object]:
    return dict.fromkeys(CLIENTS, value)


def accepted(alias: str) -> dict[str, object]:
    """As the endpoint says it where the whole chain was sent."""
    return all_of((ReasonCode.ACCEPTED.value, alias))


@pytest.mark.parametrize("key_type", ["ec-p256", "rsa-2048"])
def test_a_keystore_made_by_the_browser(
    site: Client, project: Project, folder: Path, browser_code: BrowserCode, live_gateway: LiveGateway, key_type: str
) -> None:
    key = browser_code.make(key_type, PASSWORD, tuple(subject_for(project)))
    form = made_in_browser(project, alias=ALIAS, csr=pem_request(key.csr))
    answer = site.post(page_url("generate_key", project), form).json()
    chain = [base64.b64decode(text) for text in answer["certificates"]]
    name = answer["credential"]["file_name"]
    (folder / f"{name}.p12").write_bytes(browser_code.build(key, chain, ALIAS))
    panel = panel_of(site, Credential.objects.get())
    assert panel == {line["label"]: line["text"] for line in answer["usage"]}
    made = run("PEM files by openssl", panel["PEM files by openssl"], folder, password=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert verdicts(panel, folder, password=PASSWORD) == accepted(ALIAS)


def pem_request(der: bytes) -> str:
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{body}-----END CERTIFICATE REQUEST-----\n"


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_key_of_ones_own_and_then_the_same_lines_after_revoke(
    site: Client, project: Project, folder: Path, live_gateway: LiveGateway, kind: str
) -> None:
    key = new_private_key() if kind == "EC" else rsa.generate_private_key(65537, 2048)
    credential = added_by_csr(site, project, key, "payouts")
    files_of(site, credential, folder, key)
    panel = panel_of(site, credential)
    made = run("Keystore by openssl", panel["Keystore by openssl"], folder, password=PASSWORD)
    assert made.returncode == 0, made.stderr
    assert verdicts(panel, folder, password=PASSWORD) == accepted("payouts")
    revocation.revoke(
        credential, reason=RevocationReason.SUPERSEDED, actor=Actor("alice@acme.example"), now=timezone.now()
    )
    assert refusals(panel, folder, password=PASSWORD) == all_of(ReasonCode.REVOKED.value)


def test_a_keystore_made_by_keytool(site: Client, project: Project, folder: Path, live_gateway: LiveGateway) -> None:
    """Key and request by the shown command, but for the typed password, and the certificate put beside the key."""
    requirement = requirement_of(project, Environment.SANDBOX)
    (command,) = (
        made.text
        for made in request_commands(requirement, alias="payouts", unique="1800000000")
        if made.id == "keytool"
    )
    make = command.replace("-storetype PKCS12", f"-storetype PKCS12 -storepass {shlex.quote(PASSWORD)}")
    made = run("keytool", make, folder)
    assert made.returncode == 0, made.stderr
    csr = (folder / "payouts.csr").read_bytes()
    site.post(page_url("upload_csr", project), sent(alias="payouts", csr_file=file_of(csr)))
    credential = Credential.objects.get(alias="payouts")
    download(site, credential_url("credential_download", credential, "p7b"), folder)
    panel = panel_of(site, credential)
    put_in = run("Keystore by keytool", panel["Keystore by keytool"], folder, typed=f"{PASSWORD}\nyes\n")
    assert put_in.returncode == 0, put_in.stdout + put_in.stderr
    told = json.loads(answered("Java", panel["Java"], folder, password=PASSWORD))
    assert (told["verdict"]["reasonCode"], told["alias"]) == (ReasonCode.ACCEPTED.value, "payouts")


def test_a_certificate_of_kmp_is_on_no_project_until_it_is_uploaded(
    site: Client, company: Company, project: Project, folder: Path, live_gateway: LiveGateway
) -> None:
    key = new_private_key()
    entry = make_entry(company, key=key)
    panel = kmp_panel(site, entry)
    page = site.get(reverse("kmp:entry", args=[entry.reference]))
    download(site, page.context["try_it"].chain_url, folder)
    (folder / f"{entry.reference}.key").write_bytes(pem_of(key))
    run("Keystore by openssl", panel["Keystore by openssl"], folder, password=PASSWORD)
    assert refusals(panel, folder, password=PASSWORD) == all_of(ReasonCode.NOT_ON_PROJECT.value)

    chain = (folder / f"{entry.reference}-chain.pem").read_bytes()
    site.post(page_url("upload_certificate", project), sent(alias="from-kmp", certificate_file=file_of(chain)))
    credential = Credential.objects.get(alias="from-kmp")
    assert verdicts(panel, folder, password=PASSWORD) == accepted("from-kmp")
    files_of(site, credential, folder, key)
    on_the_project = panel_of(site, credential)
    run("Keystore by openssl", on_the_project["Keystore by openssl"], folder, password=PASSWORD)
    assert verdicts(on_the_project, folder, password=PASSWORD) == accepted("from-kmp")


def kmp_panel(site: Client, entry: InventoryEntry) -> dict[str, str]:
    return panel_on(site.get(reverse("kmp:entry", args=[entry.reference])).content.decode())


def test_each_environment_has_its_host_and_the_company_its_clock(
    site: Client, company: Company, project: Project, folder: Path, live_gateway: LiveGateway
) -> None:
    key = new_private_key()
    credential = added_by_csr(site, project, key, "payouts")
    files_of(site, credential, folder, key)
    curl = panel_of(site, credential)["curl"]
    sandbox, production = live_gateway.url("sandbox"), live_gateway.url("production")
    assert f"curl {sandbox}/whoami" in curl
    assert ReasonCode.ACCEPTED in answered("curl", curl, folder)
    assert ReasonCode.WRONG_ENVIRONMENT in answered("curl", curl.replace(sandbox, production), folder)
    move_clock(company, credential.certificate.not_after - timezone.now() + timedelta(minutes=1))
    assert ReasonCode.EXPIRED in answered("curl", curl, folder)
    assert live_gateway.stop() == 0
    use = CertificateUse.objects.get(certificate=credential.certificate)
    assert use.first_used_at == use.last_used_at
