"""The guard against private keys by itself: what it lets through, how it answers, and what it leaves to a view."""

from __future__ import annotations

import base64
import io
import json
import logging
import os
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import BadRequest, RequestDataTooBig
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from connect.private_key_guard import PrivateKeyGuard
from tests.page_text import text_of
from tests.x509.requests_made import csr, ec_key, pem, rsa_key

FORM = "application/x-www-form-urlencoded"
KEY = ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
KEY_DER = rsa_key().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SHORT_KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
SECRET_LINE = KEY.splitlines()[1].decode()
KILOBYTE = 1024
HANG_SECONDS = 30


class Passed:
    """What stands behind the guard: it remembers the request that it was given, and reads it as a view would."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.posts: list[dict[str, Any]] = []
        self.files: list[bytes] = []

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.posts.append(request.POST.dict())
        self.files += [file.read() for _, files in request.FILES.lists() for file in files]
        return HttpResponse("passed", status=self.status)


def send(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/",
    kind: str = FORM,
    view: Passed | None = None,
    **extra: Any,
) -> HttpResponse:
    """What the guard answers, with the request's files closed as Django closes them after the answer."""
    request = RequestFactory().generic(method, path, body, content_type=kind, **extra)
    try:
        return PrivateKeyGuard(view or Passed())(request)
    finally:
        request.close()


def multipart(**fields: Any) -> bytes:
    return encode_multipart(BOUNDARY, fields)


def file_of(content: bytes, name: str = "some.pem") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def is_refused(response: Any) -> bool:
    return response.status_code == 400 and PRIVATE_KEY_MESSAGE in response.content.decode()


class TestTheAnswer:
    def test_a_page_says_what_it_was_and_what_to_do(self) -> None:
        response = send(b"anything=" + quote(KEY).encode())
        assert is_refused(response)
        assert SECRET_LINE not in response.content.decode()
        assert "Make a new key" in text_of(response)
        assert "Back button leads to the form" in text_of(response)
        assert response.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("kind", "accepted"),
        [("application/json", "*/*"), (FORM, "application/json"), (FORM, "application/json, */*;q=0.1")],
    )
    def test_a_script_is_answered_in_json(self, kind: str, accepted: str) -> None:
        response = send(b"anything=" + quote(KEY).encode(), kind=kind, HTTP_ACCEPT=accepted)
        assert response.status_code == 400
        sentences = json.loads(response.content)["errors"][""]
        assert len(sentences) == 1
        assert sentences[0].startswith(PRIVATE_KEY_MESSAGE)

    @pytest.mark.parametrize("accepted", ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*", ""])
    def test_everybody_else_is_answered_with_the_page(self, accepted: str) -> None:
        response = send(b"anything=" + quote(KEY).encode(), HTTP_ACCEPT=accepted)
        assert response.headers["Content-Type"].startswith("text/html")

    @pytest.mark.parametrize("debug", [False, True])
    def test_the_log_has_the_method_and_the_path_alone(
        self, caplog: pytest.LogCaptureFixture, settings: Any, debug: bool
    ) -> None:
        settings.DEBUG = debug
        caplog.set_level(logging.DEBUG)
        response = Client().post("/no%0Awhere/", {"csr": KEY.decode()})
        assert is_refused(response)
        lines = [record.getMessage() for record in caplog.records if record.name != "django.template"]
        assert lines == [r"A private key was sent and refused: POST /no\nwhere/"]
        assert not any("request" in vars(record) for record in caplog.records)


class TestAddresses:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_key_in_the_query_is_refused_and_not_logged(self, caplog: pytest.LogCaptureFixture, method: str) -> None:
        caplog.set_level(logging.DEBUG)
        response = Client().generic(method, f"/projects/?note={quote(KEY)}")
        assert is_refused(response)
        assert SECRET_LINE[:30] not in caplog.text
        assert quote(SECRET_LINE, safe="")[:30] not in caplog.text

    def test_a_key_in_the_path_is_refused_and_not_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        response = Client().get("/projects/" + quote("".join(KEY.decode().splitlines()[1:-1]), safe="") + "/")
        assert is_refused(response)
        assert SECRET_LINE[:30] not in caplog.text

    def test_other_addresses_pass(self) -> None:
        assert send(method="GET", path=f"/projects/{'a' * 500}/?next={quote(csr().hex())}").content == b"passed"


class TestFields:
    @pytest.mark.parametrize(
        "body",
        [
            multipart(**{KEY.decode().replace("\n", " "): "on"}),
            multipart(box=file_of(b"hello", KEY.decode().replace("\n", " ").replace("/", "_"))),
            multipart(first="x", box=file_of(KEY_DER, "photo.jpg")),
            multipart(box=file_of(b"PK\x03\x04" + os.urandom(20_000) + KEY_DER + os.urandom(20_000))),
            multipart(box=file_of(KEY.decode().encode("utf-16"))),
            multipart(first=[csr().hex(), KEY.decode()]),
            b"--%b\r\nX-Odd: %b\r\n\r\nhello\r\n--%b--\r\n"
            % (BOUNDARY.encode(), KEY.replace(b"\n", b" "), BOUNDARY.encode()),
            KEY + b"\r\n" + multipart(first="x"),
            multipart(first="x") + KEY,
            KEY,
            b"--%b\r\nContent-Disposition: form-data; name=a\r\n\r\n%b" % (BOUNDARY.encode(), KEY),
        ],
        ids=[
            "name",
            "name of a file",
            "file",
            "file in a file",
            "UTF-16",
            "second value",
            "odd header",
            "before",
            "after",
            "no form",
            "broken form",
        ],
    )
    def test_a_key_anywhere_in_a_form_with_files_is_refused(self, body: bytes) -> None:
        view = Passed()
        assert is_refused(send(body, kind=MULTIPART_CONTENT, view=view))
        assert view.posts == []

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    @pytest.mark.parametrize("kind", [FORM, "text/plain"])
    @pytest.mark.parametrize(
        "text",
        [
            "".join(f"%{octet:02X}" for octet in KEY),
            "-----BEGIN+PRIVATE+KEY-----",
            base64.b64encode(SHORT_KEY).decode().replace("A", "%41"),
            urlencode({"a": "plus+minus", "b": base64.b64encode(SHORT_KEY)}),
        ],
        ids=["each character", "spaces", "some letters", "a usual form"],
    )
    def test_a_key_behind_the_escapes_of_a_form_is_refused(self, text: str, kind: str, method: str) -> None:
        assert is_refused(send(f"box={text}".encode(), method=method, kind=kind))

    def test_a_body_that_does_not_arrive_is_a_bad_request(self) -> None:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError("the connection was lost")

        request = RequestFactory().post("/", {"note": "x"})
        request = type(request)({**request.META, "wsgi.input": Broken()})
        with pytest.raises(BadRequest):
            PrivateKeyGuard(Passed())(request)

    def test_whatever_else_a_form_holds_reaches_the_view_whole(self) -> None:
        view = Passed()
        content, text = os.urandom(100_000), pem(csr()).decode()
        response = send(multipart(csr=text, box=file_of(content)), kind=MULTIPART_CONTENT, view=view)
        assert response.content == b"passed"
        assert view.posts == [{"csr": text}]
        assert view.files == [content]

    def test_words_about_keys_pass(self) -> None:
        words = "Never send a private key. The file says PRIVATE KEY in its first line, EC PRIVATE KEY for EC."
        assert send(b"note=" + quote(words).encode()).content == b"passed"


class TestLargeForms:
    """They are looked at in pieces, as Django has put their files on the disk."""

    @pytest.mark.parametrize("size", [600 * KILOBYTE, 5000 * KILOBYTE])
    @pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
    def test_a_key_is_found_wherever_it_stands(self, size: int, place: float) -> None:
        before = os.urandom(int(size * place))
        content = before + KEY_DER + os.urandom(size - len(before))
        assert is_refused(send(multipart(box=file_of(content)), kind=MULTIPART_CONTENT))

    @pytest.mark.parametrize("key", [SHORT_KEY, base64.b64encode(SHORT_KEY)], ids=["DER", "base64"])
    @pytest.mark.parametrize("arrived", [1, 5, 15])
    def test_a_key_is_found_across_the_border_of_two_pieces(self, key: bytes, arrived: int) -> None:
        """One that only its first octets tell, and they are in two pieces."""
        content = (b"\x00" * (256 * KILOBYTE - arrived) + key).ljust(700 * KILOBYTE, b"\x00")
        assert is_refused(send(multipart(box=file_of(content)), kind=MULTIPART_CONTENT))

    def test_a_key_in_a_box_beside_a_large_file_is_refused(self) -> None:
        large = file_of(bytes(700 * KILOBYTE))
        assert is_refused(send(multipart(box=large, note=KEY.decode()), kind=MULTIPART_CONTENT))

    def test_a_key_in_the_name_of_a_large_file_or_its_field_is_refused(self) -> None:
        words = KEY.decode().replace("\n", " ").replace("/", "_")
        for form in ({"box": file_of(bytes(700 * KILOBYTE), words)}, {words: file_of(bytes(700 * KILOBYTE))}):
            assert is_refused(send(multipart(**form), kind=MULTIPART_CONTENT))

    def test_the_page_for_a_form_that_is_too_much_for_django_shows_nothing_of_it(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DEBUG = True
        caplog.set_level(logging.DEBUG)
        response = Client().post("/projects/", {"note": KEY.decode() + "x" * 600 * KILOBYTE})
        assert response.status_code == 400
        for part in ("PRIVATE KEY", SECRET_LINE[:20], SECRET_LINE[20:40]):  # Long texts are broken into pieces there.
            assert part not in response.content.decode()
            assert part not in caplog.text

    def test_a_large_file_without_one_reaches_the_view_whole(self) -> None:
        view, content = Passed(), os.urandom(700 * KILOBYTE)
        assert send(multipart(box=file_of(content)), kind=MULTIPART_CONTENT, view=view).content == b"passed"
        assert view.files == [content]

    def test_a_file_that_no_form_would_take_is_refused_unread(self) -> None:
        with pytest.raises(RequestDataTooBig):
            send(multipart(box=file_of(bytes(9000 * KILOBYTE))), kind=MULTIPART_CONTENT)

    @pytest.mark.parametrize("kind", ["application/json", "text/plain", FORM])
    def test_a_large_body_that_is_no_form_is_refused_unread(self, kind: str) -> None:
        with pytest.raises(RequestDataTooBig):
            send(bytes(600 * KILOBYTE), kind=kind)

    def test_what_is_refused_unread_is_answered_with_a_page(self) -> None:
        response = Client().generic("PUT", "/projects/", bytes(600 * KILOBYTE), content_type="application/json")
        assert response.status_code == 400
        assert "larger than anything this site takes" in text_of(response)


class TestBodiesWithoutALength:
    def send(self, body: bytes, **fields: Any) -> HttpResponse:
        request = RequestFactory().post("/", **fields)
        del request.META["CONTENT_LENGTH"]
        request.META["wsgi.input"] = io.BytesIO(body)
        return PrivateKeyGuard(Passed())(request)

    def test_a_key_is_refused_where_the_server_says_that_the_body_ends(self) -> None:
        assert is_refused(self.send(KEY, **{"wsgi.input_terminated": True}))

    def test_anything_else_is_refused_as_well(self) -> None:
        """Django would take it for an empty body."""
        with pytest.raises(BadRequest):
            self.send(b"note=x", **{"wsgi.input_terminated": True})

    def test_it_is_not_read_where_reading_might_never_end(self) -> None:
        with pytest.raises(BadRequest):
            self.send(KEY, HTTP_TRANSFER_ENCODING="chunked")

    def test_no_body_at_all_passes(self) -> None:
        assert self.send(b"", **{"wsgi.input_terminated": True}).content == b"passed"
