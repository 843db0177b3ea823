"""The company of the signed-in person: what Connect knows about it, and its verification."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect import access
from connect.actors import actor_of, signed_in
from connect.administrators import decidable_by, security_administrators_of
from connect.clock import now_for
from connect.companies import may_change_group_email, set_group_email
from connect.decision_forms import CidForm, GroupEmailForm
from connect.errors import CidRefused, NoLongerPossible, NotAllowed
from connect.expiry.drawn import timeline_of_company
from connect.models import AccessRequest, AccessState, Company, CompanyVerification, User, VerificationState
from connect.officers import KMP
from connect.private_key_guard import names_private_keys
from connect.records import names_of
from connect.verification import verify_company


@require_http_methods(["GET", "HEAD", "POST"])
def company(request: HttpRequest) -> HttpResponse:
    """The company's page in Connect."""
    return company_page(request, template="connect/company.html", url_name="connect:company")


def company_page(
    request: HttpRequest, *, template: str, url_name: str, extra: Mapping[str, object] | None = None
) -> HttpResponse:
    """What every page about one's own company does: show it, and take a new group e-mail. ``extra`` is context."""
    user = signed_in(request)
    own = access.company_of(user)
    form = GroupEmailForm(initial={"group_email": own.group_email})
    if request.method == "POST":
        form = GroupEmailForm(request.POST)
        if _save(request, form, own, user):
            return redirect(url_name)
    context = {
        "company": own,
        "claim": CompanyVerification.objects.filter(company=own).order_by("-requested_at").first(),
        "officer_rows": _officer_rows(own, user),
        "administrators": security_administrators_of(own),
        "form": form if may_change_group_email(user, own) else None,
        "timeline": timeline_of_company(own, user=user, now=now_for(own)),
        "here": url_name,
        **(extra or {}),
    }
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(CidForm)
def verify(request: HttpRequest) -> HttpResponse:
    """``Verify your company details``: at once where Connect knows the CID, else the typed one waits for staff."""
    user = signed_in(request)
    own = access.company_of(user)
    waiting = CompanyVerification.objects.filter(company=own, state=VerificationState.PENDING).first()
    form = CidForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and (own.cid or form.is_valid()):
        cid = "" if own.cid else form.cleaned_data["cid"]
        try:
            claim = verify_company(own, cid=cid, by=user, actor=actor_of(request), now=timezone.now())
        except NoLongerPossible as refusal:
            messages.info(request, str(refusal))
            return redirect("connect:company")
        except CidRefused as refusal:
            form.add_error("cid", str(refusal))
        else:
            messages.success(request, _what_came_of(claim))
            return redirect("connect:company")
    return render(request, "connect/verify.html", {"company": own, "claim": waiting, "form": form})


def _save(request: HttpRequest, form: GroupEmailForm, own: Company, user: User) -> bool:
    """Raises 403 for who may not, whatever was typed."""
    access.require_group_email_right(user, own)
    if not form.is_valid():
        return False
    try:
        set_group_email(
            own, address=form.cleaned_data["group_email"], by=user, actor=actor_of(request), now=timezone.now()
        )
    except NotAllowed as refusal:
        form.add_error("group_email", str(refusal))
        return False
    messages.success(request, "The Certificate Management Group Email is saved.")
    return True


def _officer_rows(own: Company, user: User) -> list[tuple[AccessRequest, str, bool]]:
    """Each active security officer's access, its level in words, and whether the viewer may withdraw it."""
    granted = AccessRequest.objects.filter(
        company=own, application=KMP, user__company=own, user__is_active=True, state=AccessState.GRANTED
    ).select_related("user")
    withdrawable = set(decidable_by(user).filter(company=own, state=AccessState.GRANTED).values_list("pk", flat=True))
    return [(row, names_of(row)[1], row.pk in withdrawable) for row in granted.order_by("user__name", "user__email")]


def _what_came_of(claim: CompanyVerification) -> str:
    if claim.state == VerificationState.CONFIRMED:
        return f"{claim.company.name} is verified with the CID {claim.cid}."
    return f"The site’s staff check the CID {claim.cid}. You will be told by e-mail what they decide."
