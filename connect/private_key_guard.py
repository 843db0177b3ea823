"""No private key gets in: whatever is sent to whatever address, a key in it is refused before anything is done with it.

Looked at are the body, for every form that ``certauthority.x509.sniffing`` knows, and the address with its query.
PKCS #12 files and Java keystores count, even those that hold certificates alone: those come as PEM, DER or PKCS #7.
Not seen is a key that was compressed, encrypted in a way of its own, cut into pieces, written in base64 twice, in
base32 or base85, or as a program's source (with ``x30`` or ``0x30`` for each octet); nor what Django drops unread from
a form of more than 512 KiB (parts without a name). A key in an address stands in the logs of browsers and proxies
before it is here; refusing it says so, and keeps it out of this site's log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.forms import FileField, Form
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve

from certauthority.x509.armor import PRIVATE_KEY_MESSAGE
from certauthority.x509.sniffing import holds_key_material
from connect.typed_fields import NeverSecret

log = logging.getLogger(__name__)

View = TypeVar("View", bound=Callable[..., Any])

_JUDGED = "fields_that_name_private_keys"
_SHORTEST_KEY = 40  # characters; Ed25519 takes 64 in base64
_PIECE_BYTES = 256 * 1024
# A key that begins near the end of one piece is whole in the next.
_OVERLAP_BYTES = 16 * 1024
_MAX_FILE_BYTES = 8 * 1024 * 1024
_HTML, _JSON = "text/html", "application/json"
_UNPARSED = (MultiPartParserError, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
_WHAT_TO_DO = "Make a new key, and send only its CSR or its certificate."


def names_private_keys(*forms: type[Form], fields: Iterable[str] = ()) -> Callable[[View], View]:
    """For views whose page names a private key at the field it was sent in: in these forms, and in further ``fields``.

    Of a form those fields count that refuse keys: files, and boxes that never show one again. In every other field the
    key is refused before the view runs.
    """
    judged = frozenset(fields).union(*(map(_refusing_fields, forms)))

    def decorate(view: View) -> View:
        setattr(view, _JUDGED, judged)
        return view

    return decorate


def _refusing_fields(form: type[Form]) -> Iterator[str]:
    for name, field in form.base_fields.items():
        if isinstance(field, FileField) or (not field.widget.is_hidden and isinstance(field.widget, NeverSecret)):
            yield name


class PrivateKeyGuard:
    """Answers 400 with the one sentence about private keys, and logs the method and the path alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if _stands_in_address(request):
            return _refusal(request, path="an address that is left out here")
        holders = _holders(request)
        if holders is None:
            return self.get_response(request)
        if holders and holders <= _fields_of_view(request):
            response = self.get_response(request)
            # Else the view did not come to show its form: to strangers, or as it failed (in DEBUG with what was sent).
            if response.status_code == 200:
                return response
        return _refusal(request, path=request.path)


def _stands_in_address(request: HttpRequest) -> bool:
    address = f"{request.path_info}?{request.META.get('QUERY_STRING', '')}"
    return len(address) >= _SHORTEST_KEY and any(
        map(holds_key_material, _decodings(address.encode("utf-8", "replace")))
    )


def _holders(request: HttpRequest) -> frozenset[str] | None:
    """The fields of the body that hold a key, without any where it stands elsewhere in the body. None without a key.

    Raises BadRequest or what Django raises for bodies that are too large or damaged: all of them become status 400.
    """
    try:
        if _is_form_with_files(request) and _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            unread = _fields_of_view(request)
            return frozenset(name for name, part in _fields(request, unread) if holds_key_material(part)) or None
        body = _body(request)
        if not any(map(holds_key_material, [body] if _is_form_with_files(request) else _decodings(body))):
            return None
        return _holding_fields(request)
    except UnreadablePostError:
        raise BadRequest("the body did not arrive") from None
    except _UNPARSED as error:
        # The frames of Django's parser hold the body, and the page for status 400 in DEBUG shows every frame.
        raise error.with_traceback(None) from None


def _holding_fields(request: HttpRequest) -> frozenset[str]:
    try:
        return frozenset(name for name, part in _fields(request) if holds_key_material(part))
    except _UNPARSED:
        return frozenset()


def _body(request: HttpRequest) -> bytes:
    """All of the body. Raises RequestDataTooBig where it has more than 512 KiB."""
    if _length(request):
        return request.body
    if request.META.get("CONTENT_LENGTH"):
        return b""
    # In pieces ("chunked", and over HTTP/2): Django would take the body for empty. No browser sends a form like that.
    if request.META.get("wsgi.input_terminated"):
        body = bytes(request.META["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
        if body and not any(map(holds_key_material, _decodings(body))):
            raise BadRequest("the body came without its length")
        return body
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        raise BadRequest("the body came without its length")
    return b""


def _length(request: HttpRequest) -> int:
    """What Django reads of the body, in octets."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return int(length) if length.isdecimal() else 0


def _is_form_with_files(request: HttpRequest) -> bool:
    return request.method == "POST" and request.content_type == "multipart/form-data"


def _decodings(text: bytes) -> Iterator[bytes]:
    """The octets as they are and, where they may be an address or a form, with its escapes undone."""
    yield text
    if b"%" in text:
        yield unquote_to_bytes(text)
    if b"+" in text:
        yield unquote_to_bytes(text.replace(b"+", b" "))


def _fields(request: HttpRequest, unread: frozenset[str] = frozenset()) -> Iterator[tuple[str, bytes]]:
    """Each field's name with its content, in pieces; without a name what was sent as a name itself."""
    for name, values in request.POST.lists():
        yield "", name.encode("utf-8", "replace")
        if name not in unread:
            yield from ((name, str(value).encode("utf-8", "replace")) for value in values)
    for name, files in request.FILES.lists():
        yield "", name.encode("utf-8", "replace")
        for file in files:
            yield "", f"{file.name} {file.content_type}".encode("utf-8", "replace")
            if name not in unread:
                yield from ((name, piece) for piece in _pieces(file))


def _pieces(file: UploadedFile[Any]) -> Iterator[bytes]:
    """The file from its beginning, and ready to be read from there again. Raises RequestDataTooBig above 8 MiB."""
    if (file.size or 0) > _MAX_FILE_BYTES:
        raise RequestDataTooBig("A file is larger than any that is taken.")
    before = b""
    for chunk in file.chunks(_PIECE_BYTES):
        piece = before + chunk
        yield piece
        before = piece[-_OVERLAP_BYTES:]
    file.seek(0)


def _fields_of_view(request: HttpRequest) -> frozenset[str]:
    """The fields that the addressed view answers for itself (``names_private_keys``)."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return frozenset()
    return getattr(view, _JUDGED, frozenset())


def _refusal(request: HttpRequest, *, path: str) -> HttpResponse:
    """The page, or JSON for a script that asks for it."""
    log.warning("A private key was sent and refused: %s %s", request.method, ascii(path)[1:-1])
    asks_for_json = request.content_type == _JSON or request.get_preferred_type([_HTML, _JSON]) == _JSON
    response: HttpResponse
    if asks_for_json:
        response = JsonResponse({"errors": {"": [f"{PRIVATE_KEY_MESSAGE} {_WHAT_TO_DO}"]}}, status=400)
    else:
        response = HttpResponse(render_to_string("400_private_key.html", {"sentence": PRIVATE_KEY_MESSAGE}), status=400)
    response.headers["Cache-Control"] = "no-store"
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001  # Django's line would carry the request
    return response
