"""`Paste in a CSR`: it issues, it refuses with all reasons, and it keeps what was typed but never a key."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from audit.models import AuditEvent
from certauthority import issuance
from certauthority.errors import IssuerEnding, SigningUnavailable
from certauthority.models import Authority, Certificate
from certauthority.x509.export import pem
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from portal.models import Credential, CredentialMethod, Project
from tests.factories import let_expire, make_credential, make_csr, make_project, subject_for
from tests.page_text import text_of
from tests.portal.conftest import signed_in
from tests.portal.credential_pages import PRIVATE_KEY, SENTENCE, key_lines, page_url, sent, submission_on


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority]) -> None:
    """Certificates are really signed."""


@pytest.fixture
def url(project: Project) -> str:
    return page_url("paste_csr", project)


def csr_for(project: Project, **fields: str) -> str:
    return make_csr(project, **fields).decode()  # type: ignore[arg-type]  # only ``unique`` is ever given


def test_the_form_has_its_labels_and_commands(as_alice: Client, url: str, project: Project) -> None:
    text = text_of(as_alice.get(url))
    for word in (
        "Certificate alias",
        "CSR",
        "Create certificate",
        "Ready commands",
        "openssl",
        "keytool",
        "PowerShell",
    ):
        assert word in text
    assert "<unique>-Client-MTF-123456" in text
    assert "/C=GB/O=Acme Payments Ltd/OU=Checkout API/CN=" in text


def test_it_issues_a_certificate_and_says_what_is_next(as_alice: Client, url: str, project: Project) -> None:
    response = as_alice.post(url, sent(csr=csr_for(project, unique="1790000000")), follow=True)
    credential = Credential.objects.get()
    assert credential.method == CredentialMethod.PASTED_CSR
    assert credential.created_by == "alice@acme.example"
    assert response.redirect_chain == [(page_url("credentials", project, new=credential.pk), 302)]
    text = text_of(response)
    assert f"payouts was added. It expires on {credential.certificate.not_after:%-d %B %Y}." in text
    assert "Next: download it" in text


def test_text_around_the_block_is_fine(as_alice: Client, url: str, project: Project) -> None:
    text = f"Certificate Request:\r\n    Data: …\r\n{csr_for(project)}\r\nThanks!\r\n".replace("\n", "\r\n")
    as_alice.post(url, sent(csr=text))
    assert Credential.objects.count() == 1


def test_every_broken_rule_is_told_at_once_and_what_was_typed_is_kept(
    as_alice: Client, url: str, project: Project
) -> None:
    csr = build_request([("O", "Acme"), ("OU", "Other"), ("L", "London"), ("CN", "acme")], new_private_key()).decode()
    response = as_alice.post(url, sent(csr=csr, alias="my alias"))
    assert response.status_code == 200
    text = text_of(response)
    assert "4 rules are broken: see the table of rules." in text
    for title in ("Pattern of the common name", "Organisation", "Organisational unit", "Nothing else in the subject"):
        assert f"{title} house rule Broken Found" in text
    assert "The corrected command" in text
    assert "openssl req -new -key my-alias.key" in text
    body = response.content.decode()
    assert 'value="my alias"' in body
    assert csr.splitlines()[1].replace("+", "&#x2B;") in body or csr.splitlines()[1] in body
    assert Certificate.objects.filter(credentials__isnull=False).count() == 0


def test_a_refused_form_keeps_its_submission(as_alice: Client, url: str) -> None:
    form = sent(csr="nonsense")
    assert submission_on(as_alice.post(url, form)) == form["submission"]


@pytest.mark.parametrize(
    "alias", ["", "   ", "pay/outs", "päyouts", "a" * 65, "<b>x</b>", "a\tb", "x\u202ey", "a\x00b"]
)
def test_a_bad_alias_is_refused_and_changes_nothing(as_alice: Client, url: str, project: Project, alias: str) -> None:
    response = as_alice.post(url, sent(csr=csr_for(project), alias=alias))
    assert response.status_code == 200
    assert 'id="id_alias_error"' in response.content.decode()
    assert "<b>x</b>" not in response.content.decode()
    assert not Credential.objects.exists()


def test_an_alias_is_trimmed(as_alice: Client, url: str, project: Project) -> None:
    as_alice.post(url, sent(csr=csr_for(project), alias="  pay outs_1.2-3  "))
    assert Credential.objects.get().alias == "pay outs_1.2-3"


def test_a_taken_alias_is_told_at_the_alias(as_alice: Client, url: str, project: Project) -> None:
    make_credential(project, alias="Payouts")
    response = as_alice.post(url, sent(csr=csr_for(project), alias="payouts"))
    assert "The alias payouts names another certificate of Sandbox that is still live." in text_of(response)
    assert 'id="id_alias_error"' in response.content.decode()
    assert Credential.objects.count() == 1


def test_a_bad_alias_and_a_bad_csr_are_told_together(as_alice: Client, url: str) -> None:
    csr = build_request([("CN", "acme")], new_private_key()).decode()
    text = text_of(as_alice.post(url, sent(csr=csr, alias="a/b")))
    assert "An alias has 1 to 64 characters" in text
    assert "Pattern of the common name house rule Broken" in text


def test_the_twin_is_named_to_who_may_see_it(as_alice: Client, url: str, project: Project) -> None:
    make_credential(project, alias="the-twin", csr=make_csr(project, unique="17"))
    response = as_alice.post(url, sent(csr=csr_for(project, unique="17")))
    text = text_of(response)
    assert "Duplicate certificate" in text
    assert "the-twin" in text
    assert "Change the unique part of CN" in text
    assert Credential.objects.count() == 1


def test_the_corrected_command_of_a_duplicate_has_another_common_name(
    as_alice: Client, url: str, project: Project
) -> None:
    make_credential(project, csr=make_csr(project, unique="17"))
    text = text_of(as_alice.post(url, sent(csr=csr_for(project, unique="17"))))
    command = text.partition("openssl req -new -key")[2].partition("Copy")[0]
    assert "CN=17-Client" not in command
    assert "-Client-MTF-123456" in command


def test_the_twin_is_not_named_to_who_may_not_see_it(alice: User, project: Project) -> None:
    # Two projects of one company may bear one name one after the other; then their subjects can be the same.
    make_credential(project, alias="secret-alias", csr=make_csr(project, unique="17"))
    project.name = "Old name"
    project.save()
    other = make_project(admin=alice, name="Checkout API")
    project.memberships.all().delete()
    text = text_of(signed_in(alice).post(page_url("paste_csr", other), sent(csr=make_csr(other, unique="17").decode())))
    assert "Duplicate certificate" in text
    assert "secret-alias" not in text
    assert "on a project that you cannot see" in text


@pytest.mark.parametrize("field", ["csr", "alias"])
def test_a_private_key_is_named_and_never_seen_again(
    as_alice: Client, url: str, project: Project, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    response = as_alice.post(url, sent(**{"csr": csr_for(project), field: PRIVATE_KEY}))
    assert SENTENCE in text_of(response)
    body = response.content.decode()
    for line in key_lines():
        assert line not in body
        assert line not in caplog.text
    assert not Credential.objects.exists()
    assert not AuditEvent.objects.filter(action="credential.added").exists()


def test_who_sent_a_private_key_is_told_to_make_a_new_one(as_alice: Client, url: str) -> None:
    assert "Make a new key pair" in text_of(as_alice.post(url, sent(csr=PRIVATE_KEY)))


def test_a_private_key_in_the_hidden_field_is_not_shown_again(as_alice: Client, url: str) -> None:
    body = as_alice.post(url, {"alias": "x", "csr": "nonsense", "submission": PRIVATE_KEY}).content.decode()
    assert not [line for line in key_lines() if line in body]


def test_an_expired_twin_is_said_to_hold_its_name(as_alice: Client, url: str, project: Project) -> None:
    let_expire(make_credential(project, alias="the-twin", csr=make_csr(project, unique="17")), in_days=-1)
    text = text_of(as_alice.post(url, sent(csr=csr_for(project, unique="17"))))
    assert "which has expired, but holds its name until it is revoked" in text


def test_a_private_key_in_a_text_that_is_too_large_is_not_shown_again(as_alice: Client, url: str) -> None:
    body = as_alice.post(url, sent(csr=PRIVATE_KEY + "x" * 70_000)).content.decode()
    assert not [line for line in key_lines() if line in body]


def test_a_keystore_as_text_is_not_shown_again(as_alice: Client, url: str) -> None:
    single_line = "".join(key_lines())
    body = as_alice.post(url, sent(csr=single_line)).content.decode()
    assert single_line not in body


def test_a_certificate_in_the_box_is_named(as_alice: Client, url: str, project: Project) -> None:
    text = text_of(as_alice.post(url, sent(csr=pem(bytes(make_credential(project).certificate.der)))))
    assert "This is a certificate, and a CSR is needed here." in text


@pytest.mark.parametrize(
    "csr", ["", "   \n", "nonsense", "\x00\x01", "-----BEGIN CERTIFICATE REQUEST-----", "é" * 9000]
)
def test_anything_else_is_refused_with_a_sentence(as_alice: Client, url: str, csr: str) -> None:
    response = as_alice.post(url, sent(csr=csr))
    assert response.status_code == 200
    assert 'id="id_csr_error"' in response.content.decode()
    assert not Credential.objects.exists()


def test_a_text_of_a_megabyte_is_refused(as_alice: Client, url: str) -> None:
    assert as_alice.post(url, sent(csr="x" * 1_000_000)).status_code == 400


def test_markup_in_a_name_is_shown_harmlessly(as_alice: Client, url: str) -> None:
    name = "<script>alert(1)</script>\u202e"
    csr = build_request([("O", name), ("CN", name)], new_private_key()).decode()
    body = as_alice.post(url, sent(csr=csr)).content.decode()
    assert "<script>alert" not in body
    assert "\u202e" not in body
    assert "&lt;script&gt;" in body


def test_the_same_form_sent_twice_issues_once(as_alice: Client, url: str, project: Project) -> None:
    form = sent(csr=csr_for(project))
    first, second = as_alice.post(url, form), as_alice.post(url, form)
    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert Credential.objects.count() == 1


def test_an_old_form_filled_anew_says_that_it_added_nothing(as_alice: Client, url: str, project: Project) -> None:
    form = sent(csr=csr_for(project))
    as_alice.post(url, form)
    response = as_alice.post(url, {**form, "alias": "another", "csr": csr_for(project)}, follow=True)
    assert "This form had already added payouts, so nothing more was added." in text_of(response)
    assert Credential.objects.count() == 1


def test_a_form_without_a_submission_still_works(as_alice: Client, url: str, project: Project) -> None:
    as_alice.post(url, {"alias": "payouts", "csr": csr_for(project), "submission": "x"})
    assert Credential.objects.count() == 1


@pytest.mark.parametrize(
    "failure", [IssuerEnding("The CA ends before that."), SigningUnavailable("The key is not here.")]
)
def test_what_our_side_cannot_do_is_said_and_logged(
    as_alice: Client,
    url: str,
    project: Project,
    failure: Exception,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(issuance, "issue", fail)
    response = as_alice.post(url, sent(csr=csr_for(project)))
    assert f"{failure} Nothing was stored." in text_of(response)
    assert response.status_code == 503, "nothing is wrong with what was sent"
    assert type(failure).__name__ in caplog.text
    assert not Credential.objects.exists()


def test_strangers_get_404_and_readers_403(as_charlie: Client, as_bob: Client, url: str, project: Project) -> None:
    form = sent(csr=csr_for(project))
    assert as_charlie.get(url).status_code == as_charlie.post(url, form).status_code == 404
    assert as_bob.get(url).status_code == as_bob.post(url, form).status_code == 403
    assert not Credential.objects.exists()


def test_other_methods_are_refused(as_alice: Client, url: str) -> None:
    assert as_alice.put(url).status_code == as_alice.delete(url).status_code == 405


def test_a_get_with_everything_in_the_address_changes_nothing(as_alice: Client, url: str, project: Project) -> None:
    as_alice.get(url, {"alias": "x", "csr": csr_for(project), "submission": str(uuid.uuid4())})
    assert not Credential.objects.exists()


def test_the_subject_is_written_in_our_order(as_alice: Client, url: str, project: Project) -> None:
    csr = build_request(list(reversed(subject_for(project, unique="9"))), new_private_key()).decode()
    as_alice.post(url, sent(csr=csr))
    assert Credential.objects.get().certificate.subject == (
        "CN=9-Client-MTF-123456,OU=Checkout API,O=Acme Payments Ltd,C=GB"
    )
