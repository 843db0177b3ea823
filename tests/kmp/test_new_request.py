"""`New request`: the forms of the wizard, whose state is a draft on the server, and the box for the CSR."""

from __future__ import annotations

import pytest
from django.test import Client

from certauthority.models import Authority
from certauthority.x509.armor import PRIVATE_KEY_MESSAGE, csr_der
from certauthority.x509.requests import build_request, new_private_key
from connect.models import User
from kmp.models import Application, CertificateRequest, Environment, RequestState
from tests.kmp.factories import PORTAL_CLIENT, XBS, make_entry, make_kmp_csr, rules_for
from tests.kmp.wizard import (
    browser,
    company_of,
    details,
    file_of,
    good_csr,
    make_draft,
    make_two_officers,
    review_form,
    url,
)
from tests.page_text import text_of
from tests.portal.credential_pages import PRIVATE_KEY, key_lines


@pytest.fixture(autouse=True)
def _authorities(authorities: dict[str, Authority], applications: dict[str, Application]) -> None:
    """The CA, and the applications of every site."""


@pytest.fixture
def officers() -> tuple[User, User]:
    return make_two_officers()


@pytest.fixture
def olga(officers: tuple[User, User]) -> User:
    return officers[0]


@pytest.fixture
def as_olga(olga: User) -> Client:
    return browser(olga)


def test_the_form_has_its_labels(as_olga: Client) -> None:
    text = text_of(as_olga.get(url("request_new")))
    for label in ("Application", "Profile", "Client", "Environment", "MTF", "Production", "Contact", "Next"):
        assert label in text
    for application in Application.objects.all():
        assert application.name in text


def test_from_the_application_to_submit(as_olga: Client, olga: User) -> None:
    response = as_olga.post(url("request_new"), details(environment="production"))
    draft = CertificateRequest.objects.get()
    assert (draft.state, draft.officer, draft.environment) == (RequestState.DRAFT, olga, "production")
    assert response.headers["Location"] == url("request_csr", draft.number)

    page = text_of(as_olga.get(url("request_csr", draft.number)))
    for words in ("Upload CSR", "DN Requirements", "<unique>-Client-PROD-123456", "Ready commands", "openssl req"):
        assert words in page
    csr = make_kmp_csr(rules_for(company_of(olga), PORTAL_CLIENT, Environment.PRODUCTION), unique="1800000000")
    response = as_olga.post(url("request_csr", draft.number), {"csr_file": file_of(csr)})
    assert response.headers["Location"] == url("request_review", draft.number)

    page = text_of(as_olga.get(url("request_review", draft.number)))
    for words in ("This CSR can be submitted", "Attribute by attribute", "Subject Alternate Names (SAN)", "new.csr"):
        assert words in page
    names = review_form(draft, names="b.acme.example, a.acme.example, B.acme.example")
    response = as_olga.post(url("request_submit", draft.number), names)
    assert response.headers["Location"] == url("request", draft.number)

    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED
    assert draft.alternative_names == ["b.acme.example", "a.acme.example"]
    assert draft.common_name == "1800000000-Client-PROD-123456"
    assert bytes(draft.csr) == csr


@pytest.mark.parametrize("encode", [bytes, csr_der], ids=["PEM", "DER"])
def test_a_file_is_kept_octet_by_octet(as_olga: Client, olga: User, encode: object) -> None:
    assert callable(encode)
    draft, data = make_draft(olga, csr=b""), encode(good_csr(olga))
    assert as_olga.post(url("request_csr", draft.number), {"csr_file": file_of(data)}).status_code == 302
    draft.refresh_from_db()
    assert bytes(draft.csr) == data


def test_every_answer_that_is_missing_is_asked_for_and_nothing_typed_is_lost(as_olga: Client) -> None:
    page = as_olga.post(url("request_new"), {"contact": "olga@", "environment": "production"})
    text = text_of(page)
    for sentence in ("Choose an application.", "Choose a profile.", "It looks like name@company.example."):
        assert sentence in text
    assert 'value="olga@"' in page.content.decode()
    assert '<option value="production" selected>' in page.content.decode()
    assert not CertificateRequest.objects.exists()


def test_an_application_that_is_closed_is_not_offered(as_olga: Client) -> None:
    Application.objects.filter(code=XBS).update(is_open=False)
    assert "Cross-Border Services API-MTLS" not in text_of(as_olga.get(url("request_new")))
    assert "Choose one of these applications." in text_of(as_olga.post(url("request_new"), details(XBS)))


def test_a_form_sent_twice_begins_one_draft_with_the_last_answers(as_olga: Client) -> None:
    form = details()
    first = as_olga.post(url("request_new"), form)
    second = as_olga.post(url("request_new"), {**form, "environment": "production"})
    assert first.headers["Location"] == second.headers["Location"]
    assert CertificateRequest.objects.get().environment == "production"


def test_the_application_can_be_changed_later_and_the_csr_stays(as_olga: Client, olga: User) -> None:
    draft = make_draft(olga)
    assert (
        '<option value="developers-portal-client" selected>'
        in as_olga.get(url("request_details", draft.number)).content.decode()
    )
    response = as_olga.post(url("request_details", draft.number), details(XBS))
    assert response.headers["Location"] == url("request_csr", draft.number)
    page = text_of(as_olga.get(url("request_csr", draft.number)))
    assert "The CSR in use is new.csr" in page
    assert as_olga.post(url("request_csr", draft.number), {}).status_code == 302, "the CSR stays"
    assert "Write “MTF XBS” instead of" in text_of(as_olga.get(url("request_review", draft.number)))


class TestCsrBox:
    """What is no CSR stays out of the draft; what breaks a rule is kept and reviewed."""

    @pytest.mark.parametrize("box", ["csr", "csr_file"])
    def test_a_private_key_is_refused_and_never_kept_or_shown(self, as_olga: Client, olga: User, box: str) -> None:
        draft = make_draft(olga, csr=b"")
        content = file_of(PRIVATE_KEY.encode()) if box == "csr_file" else PRIVATE_KEY
        page = as_olga.post(url("request_csr", draft.number), {box: content})
        assert PRIVATE_KEY_MESSAGE in text_of(page)
        assert not any(line in page.content.decode() for line in key_lines())
        draft.refresh_from_db()
        assert bytes(draft.csr) == b""

    def test_a_certificate_is_named_as_what_it_is(self, as_olga: Client, olga: User) -> None:
        draft, entry = make_draft(olga, csr=b""), make_entry(company_of(olga))
        content = file_of(bytes(entry.certificate.der), "client.crt")
        page = text_of(as_olga.post(url("request_csr", draft.number), {"csr_file": content}))
        assert "This is a certificate, and a CSR is needed here." in page

    def test_pasted_text_that_is_refused_is_still_there(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga, csr=b"")
        page = as_olga.post(url("request_csr", draft.number), {"csr": "this is no CSR <at all>"})
        assert "this is no CSR &lt;at all&gt;" in page.content.decode()

    def test_nothing_is_asked_for(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga, csr=b"")
        assert "Choose the file that holds the CSR, or paste its text." in text_of(
            as_olga.post(url("request_csr", draft.number), {"csr": "  \n "})
        )
        assert as_olga.get(url("request_review", draft.number)).headers["Location"] == url("request_csr", draft.number)

    def test_a_file_that_is_too_large_is_not_read(self, as_olga: Client, olga: User) -> None:
        draft = make_draft(olga, csr=b"")
        page = text_of(as_olga.post(url("request_csr", draft.number), {"csr_file": file_of(b"x" * 70_000)}))
        assert "at most 64 KiB are taken" in page

    def test_names_that_cannot_be_seen_are_shown_as_code_points(self, as_olga: Client, olga: User) -> None:
        subject = [("O", "Acme Payments Ltd"), ("CN", "a\x00b\u202ec<script>")]
        draft = make_draft(olga, csr=build_request(subject, new_private_key()))
        assert draft.common_name == "a[U+0000]b[U+202E]c<script>"
        page = as_olga.get(url("request_review", draft.number)).content.decode()
        assert "U+202E" in page
        assert "c<script>" not in page
