"""What the guard against private keys leaves to a view: the boxes of its form, and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from connect.private_key_guard import names_private_keys
from connect.revoke_form import RevokeForm
from portal.forms.add_certificate import CheckCsrForm, PasteCsrForm, UploadCsrForm
from tests.connect.test_private_key_guard import FORM, KEY, SECRET_LINE, file_of, is_refused
from tests.factories import make_csr, make_project, make_user
from tests.page_text import text_of


class TestWhatIsLeftToAView:
    """The page of ``Paste in a CSR`` names a key in its boxes itself, and keeps what else was typed."""

    @pytest.fixture
    def url(self, db: None, client: Client) -> str:
        user = make_user()
        client.force_login(user)
        self.project = make_project(admin=user)
        return reverse("portal:paste_csr", args=[self.project.pk, "sandbox"])

    def fields(self, **other: str) -> dict[str, str]:
        return {"alias": "payouts", "csr": make_csr(self.project).decode(), **other}

    def test_a_box_of_its_form(self, client: Client, url: str) -> None:
        response = client.post(url, self.fields(csr=KEY.decode()))
        assert response.status_code == 200
        assert PRIVATE_KEY_MESSAGE in text_of(response)
        assert 'value="payouts"' in response.content.decode()

    @pytest.mark.parametrize("name", ["submission", "csrfmiddlewaretoken", "csr_file", "note"])
    def test_no_other_field(self, client: Client, url: str, name: str) -> None:
        for content in (KEY.decode(), file_of(KEY)):
            assert is_refused(client.post(url, {**self.fields(), name: content}))

    def test_nor_a_box_with_another_beside_it(self, client: Client, url: str) -> None:
        assert is_refused(client.post(url, self.fields(csr=KEY.decode(), note=KEY.decode())))

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "GET"])
    def test_nor_any_other_method(self, client: Client, url: str, method: str) -> None:
        assert is_refused(client.generic(method, url, b"csr=" + quote(KEY).encode(), content_type=FORM))

    def test_where_the_view_does_not_come_to_its_form_the_key_is_named_all_the_same(self, url: str) -> None:
        stranger = Client()
        assert is_refused(stranger.post(url, self.fields(csr=KEY.decode())))
        stranger.force_login(make_user())
        assert is_refused(stranger.post(url, self.fields(csr=KEY.decode())))

    def test_nor_is_it_shown_by_the_page_for_our_own_mistakes(
        self, client: Client, url: str, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*args: Any, **kwargs: Any) -> None:
            raise RuntimeError("a mistake")

        settings.DEBUG = True
        client.raise_request_exception = False
        monkeypatch.setattr("portal.views.add_certificate.judgement_context", fail)
        response = client.post(url, self.fields(csr=KEY.decode()))
        assert is_refused(response)
        assert SECRET_LINE not in caplog.text
        assert SECRET_LINE not in response.content.decode()


def test_fields_count_that_refuse_keys() -> None:
    def names(*forms: Any, **other: Any) -> set[str]:
        def view() -> None:
            """Nothing calls it."""

        return set(vars(names_private_keys(*forms, **other)(view))["fields_that_name_private_keys"])

    assert names(PasteCsrForm) == {"alias", "csr"}
    assert names(UploadCsrForm) == {"alias", "csr_file"}
    assert names(CheckCsrForm) == {"alias", "csr", "csr_file"}
    assert names(RevokeForm, fields=["login"]) == {"confirmation", "login"}
