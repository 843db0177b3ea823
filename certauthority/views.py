"""CRLs, CA certificates and OCSP, for everybody and without sign-in."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from certauthority import crl_shards, revocation_lists
from certauthority.authorities import chain_of
from certauthority.models import Authority
from certauthority.models.revocation_list import FULL
from certauthority.ocsp import endpoint
from certauthority.ocsp.endpoint import Reply
from certauthority.x509.export import pem_bundle
from certauthority.x509.limits import MAX_OCSP_REQUEST_BYTES
from certauthority.x509.ocsp_response import Failure

logger = logging.getLogger(__name__)

# How long a cache may answer for us: short for CRLs, so that a revocation is known soon.
CRL_SECONDS = 300
CERTIFICATE_SECONDS = 24 * 60 * 60


@login_not_required
@require_safe
def revocation_list(request: HttpRequest, name: str, shard: int = FULL) -> HttpResponseBase:
    """The newest CRL as DER (RFC 5280, 5): the full one, or that of a shard; never one whose time is over.

    A large one is sent in pieces: nobody holds the whole of it, however many clients ask.
    """
    authority = _authority(name)
    crl = revocation_lists.current(authority, shard)
    now = timezone.now()
    if crl is None and not crl_shards.is_one(authority, shard):
        raise Http404
    if crl is None or crl.next_update <= now:
        return HttpResponse(
            "No CRL is valid now. The site's staff must see that the background work is running.\n",
            content_type="text/plain; charset=utf-8",
            status=503,
            headers={"Cache-Control": "no-store", "Retry-After": "60"},
        )
    # Caches count whole seconds, and the last one as well: one less, so that none answers after the CRL's time.
    seconds = max(0, min(CRL_SECONDS, int((crl.next_update - now).total_seconds()) - 1))
    headers = {
        "Cache-Control": f"public, max-age={seconds}, must-revalidate",
        "ETag": f'"{crl.authority_id}-{crl.number}"',
    }
    plain = HttpResponse(headers=headers)
    conditional = get_conditional_response(request, etag=headers["ETag"], response=plain)
    if conditional is not plain and conditional is not None:
        return conditional
    size, pieces = revocation_lists.pieces(crl)
    headers |= {"Content-Type": "application/pkix-crl", "Content-Length": str(size)}
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    if size <= revocation_lists.PIECE:
        return HttpResponse(b"".join(pieces), headers=headers)
    return StreamingHttpResponse(pieces, headers=headers)


@login_not_required
@require_safe
def certificate(request: HttpRequest, name: str) -> HttpResponse:
    """The CA's own certificate as DER (RFC 5280, 4.2.2.1)."""
    der = bytes(_authority(name).certificate.der)
    return _public(der, "application/pkix-cert", seconds=CERTIFICATE_SECONDS)


@login_not_required
@require_safe
def bundle(request: HttpRequest, name: str) -> HttpResponse:
    """The CA's certificate and those above it up to the root, as PEM."""
    pem = pem_bundle(chain_of(_authority(name)))
    return _public(pem.encode(), "application/x-pem-file", seconds=CERTIFICATE_SECONDS)


@csrf_exempt  # Nobody is signed in here, and nothing is changed.
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def ocsp(request: HttpRequest, address: str) -> HttpResponse:
    """Answer an OCSP request (RFC 6960, A): ``address`` is the CA, and for GET the request in base64 after it.

    What is none gets malformedRequest with status 200, as OCSP has it; what is too large gets it with 413.
    """
    try:
        reply = _ocsp_reply(request, address)
    except DatabaseError:
        logger.exception("The database does not answer: an OCSP client is told to try later.")
        reply = endpoint.refusal(Failure.TRY_LATER)
    return HttpResponse(reply.body, status=reply.status, headers=dict(reply.headers))


def _ocsp_reply(request: HttpRequest, address: str) -> Reply:
    if len(address) > endpoint.MAX_ADDRESS or int(request.META.get("CONTENT_LENGTH") or 0) > MAX_OCSP_REQUEST_BYTES:
        return endpoint.refusal(Failure.MALFORMED_REQUEST, http_status=413)
    reply = endpoint.understood(
        address,
        request.body if request.method == "POST" else None,
        if_none_match=request.headers.get("If-None-Match", ""),
        now=timezone.now(),
    )
    if reply is not None:
        return reply
    _authority(address.partition("/")[0])
    return endpoint.refusal(Failure.MALFORMED_REQUEST)


def _authority(name: str) -> Authority:
    authority = Authority.objects.select_related("certificate", "parent__certificate").filter(name=name).first()
    if authority is None:
        raise Http404
    return authority


def _public(body: bytes, content_type: str, *, seconds: int) -> HttpResponse:
    return HttpResponse(
        body, content_type=content_type, headers={"Cache-Control": f"public, max-age={seconds}, must-revalidate"}
    )
