"""`Add certificate`: the options, and `Upload a CSR`."""

from __future__ import annotations

import html
import io
import subprocess
from pathlib import Path

import pytest
from django.core.files.uploadedfile import UploadedFile
from django.test import Client
from django.utils.datastructures import MultiValueDict

from certauthority.models import Authority
from certauthority.x509.armor import csr_der
from portal.forms.add_certificate import UploadCsrForm
from portal.models import Credential, CredentialMethod, Environment, Project
from portal.ready_commands import ready_commands
from portal.requirements import requirement_of
from tests.factories import make_credential, make_csr
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, SENTENCE, file_of, key_lines, page_url, sent


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def url(project: Project) -> str:
    return page_url("upload_csr", project)


def test_there_are_four_options(as_alice: Client, project: Project) -> None:
    page = as_alice.get(page_url("add_certificate", project))
    for name, label in (
        ("generate_key", "Generate a new private key"),
        ("upload_csr", "Upload a CSR"),
        ("paste_csr", "Paste in a CSR"),
        ("upload_certificate", "Upload mTLS certificate"),
    ):
        assert f'<a href="{page_url(name, project)}">{label}</a>' in page.content.decode()
    text = text_of(page)
    assert "Four ways, one result: a certificate under an alias in Sandbox." in text
    assert text.index("Generate a new private key") < text.index("Fits most people") < text.index("Upload a CSR")
    assert "Key made in this browser, never leaves it You need an alias and a keystore password" in text


@pytest.mark.parametrize("environment", list(Environment))
def test_every_option_notes_the_predecessor(as_alice: Client, project: Project, environment: Environment) -> None:
    old = make_credential(project, environment)
    body = as_alice.get(page_url("add_certificate", project, environment, rotate=old.pk)).content.decode()
    for name in ("generate_key", "upload_csr", "paste_csr", "upload_certificate"):
        assert page_url(name, project, environment, rotate=old.pk) in body


def test_the_form_has_its_labels_and_the_rules_beside_it(as_alice: Client, url: str) -> None:
    text = text_of(as_alice.get(url))
    for word in ("Certificate alias", "CSR file", "Create certificate", "Nothing checked yet"):
        assert word in text
    for rule in ("Pattern of the common name", "Organisational unit", "No other live credential has this subject"):
        assert rule in text


@pytest.mark.parametrize("encode", [lambda pem: pem, csr_der], ids=["PEM", "DER"])
def test_it_issues_from_a_file(as_alice: Client, url: str, project: Project, encode: object) -> None:
    assert callable(encode)
    response = as_alice.post(url, sent(csr_file=file_of(encode(make_csr(project)))))
    credential = Credential.objects.get()
    assert credential.method == CredentialMethod.UPLOADED_CSR
    assert response["Location"] == page_url("credentials", project, new=credential.pk)


@pytest.mark.parametrize("environment", list(Environment))
def test_the_command_on_the_page_makes_a_request_that_is_accepted(
    as_alice: Client, project: Project, environment: Environment, tmp_path: Path
) -> None:
    page = as_alice.get(page_url("upload_csr", project, environment))
    shown = page.context["commands"][0]
    assert shown.text in html.unescape(page.content.decode())
    subprocess.run(["bash", "-c", shown.text], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    csr = (tmp_path / shown.csr_file).read_bytes()
    as_alice.post(page_url("upload_csr", project, environment), sent(csr_file=file_of(csr)))
    assert Credential.objects.get().environment == environment


def test_the_commands_of_every_tool_name_the_same_subject(project: Project) -> None:
    requirement = requirement_of(project, Environment.SANDBOX)
    commands = ready_commands(requirement, alias="pay outs", unique="1790000000")
    assert [command.label.split()[0].rstrip(",") for command in commands] == [
        *["openssl"] * 3,
        "keytool",
        "PowerShell",
    ]
    assert all("1790000000-Client-MTF-123456" in command.text for command in commands)
    assert commands[0].key_file == "pay-outs.key"


def test_a_refusal_says_to_choose_the_file_again(as_alice: Client, url: str) -> None:
    response = as_alice.post(url, sent(csr_file=file_of("nonsense"), alias="kept"))
    text = text_of(response)
    assert "No CSR that can be read was found in this." in text
    assert "Choose the file again: browsers do not keep it." in text
    assert 'value="kept"' in response.content.decode()


def test_the_file_is_judged_although_the_alias_is_bad(as_alice: Client, url: str, project: Project) -> None:
    text = text_of(as_alice.post(url, sent(csr_file=file_of(make_csr(project)), alias="a/b")))
    assert "Pattern of the common name" in text
    assert "kept" in text
    assert "Choose the file again" in text
    assert not Credential.objects.exists()


def test_without_a_file_it_asks_for_one(as_alice: Client, url: str) -> None:
    assert "Choose the file that holds the CSR." in text_of(as_alice.post(url, sent()))
    assert "This file is empty." in text_of(as_alice.post(url, sent(csr_file=file_of(""))))


def test_fifty_megabytes_are_refused(as_alice: Client, url: str) -> None:
    huge = io.BytesIO(b"x" * 50 * 1024 * 1024)
    huge.name = "huge.csr"
    response = as_alice.post(url, sent(csr_file=huge))
    assert response.status_code == 200
    assert "This file has 52,428,800 bytes, and at most 64 KiB are taken. It was not read." in text_of(response)
    assert not Credential.objects.exists()


def test_the_size_is_looked_at_before_the_file_is_read() -> None:
    class Unreadable(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise AssertionError("a file that is too large was read")

    huge = UploadedFile(Unreadable(), "huge.csr", size=64 * 1024 + 1)
    form = UploadCsrForm(sent(), MultiValueDict({"csr_file": [huge]}))
    assert "at most 64 KiB are taken" in form.errors["csr_file"][0]


def test_a_private_key_in_the_file_is_named_and_not_shown(
    as_alice: Client, url: str, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for content in (PRIVATE_KEY, PRIVATE_KEY + make_csr(project).decode()):
        response = as_alice.post(url, sent(csr_file=file_of(content)))
        assert SENTENCE in text_of(response)
        for line in key_lines():
            assert line not in response.content.decode()
            assert line not in caplog.text
    assert not Credential.objects.exists()


def test_two_requests_in_one_file_are_refused(as_alice: Client, url: str, project: Project) -> None:
    text = text_of(as_alice.post(url, sent(csr_file=file_of(make_csr(project) + make_csr(project)))))
    assert "This holds 2 CSRs. Send exactly one." in text


def test_the_name_of_the_file_is_not_trusted(as_alice: Client, url: str, project: Project) -> None:
    name = '../../<script>"\r\nX: y.csr'
    response = as_alice.post(url, sent(csr_file=file_of("nonsense", name)))
    assert "<script>&quot;" not in response.content.decode()
    assert as_alice.post(url, sent(csr_file=file_of(make_csr(project), name))).status_code == 302


def test_the_same_form_sent_twice_issues_once(as_alice: Client, url: str, project: Project) -> None:
    form, csr = sent(), make_csr(project)
    answers = [as_alice.post(url, {**form, "csr_file": file_of(csr)}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {302}
    assert Credential.objects.count() == 1


def test_strangers_get_404_and_readers_403(as_charlie: Client, as_bob: Client, project: Project) -> None:
    for name in ("add_certificate", "upload_csr"):
        url = page_url(name, project)
        assert as_charlie.get(url).status_code == 404
        assert as_bob.get(url).status_code == 403
    url = page_url("upload_csr", project)
    assert as_charlie.post(url, sent(csr_file=file_of(make_csr(project)))).status_code == 404
    assert as_bob.post(url, sent(csr_file=file_of(make_csr(project)))).status_code == 403
    assert not Credential.objects.exists()


def test_other_methods_are_refused(as_alice: Client, url: str, project: Project) -> None:
    assert as_alice.put(url).status_code == 405
    assert as_alice.post(page_url("add_certificate", project)).status_code == 405
