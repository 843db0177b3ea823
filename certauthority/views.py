"""CRLs and CA certificates, for everybody and without sign-in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from certauthority import revocation_lists
from certauthority.authorities import chain_of
from certauthority.models import Authority
from certauthority.x509.export import pem_bundle

# How long a cache may answer for us: short for CRLs, so that a revocation is known soon.
CRL_SECONDS = 300
CERTIFICATE_SECONDS = 24 * 60 * 60


@login_not_required
@require_safe
def revocation_list(request: HttpRequest, name: str) -> HttpResponse:
    """The newest CRL as DER (RFC 5280, 5); never one whose time is over."""
    crl = revocation_lists.current(_authority(name))
    now = timezone.now()
    if crl is None or crl.next_update <= now:
        return HttpResponse(
            "No CRL is valid now. The site's staff must see that the background work is running.\n",
            content_type="text/plain; charset=utf-8",
            status=503,
            headers={"Cache-Control": "no-store", "Retry-After": "60"},
        )
    seconds = min(CRL_SECONDS, int((crl.next_update - now).total_seconds()))
    return _public(bytes(crl.der), "application/pkix-crl", seconds=seconds)


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


def _authority(name: str) -> Authority:
    authority = Authority.objects.select_related("certificate", "parent__certificate").filter(name=name).first()
    if authority is None:
        raise Http404
    return authority


def _public(body: bytes, content_type: str, *, seconds: int) -> HttpResponse:
    return HttpResponse(
        body, content_type=content_type, headers={"Cache-Control": f"public, max-age={seconds}, must-revalidate"}
    )
