"""`Renew Certificate` from the inventory, and `Renew by serial number`: both end in the draft of one renewal."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of
from connect.clock import company_time
from connect.models import Company
from connect.private_key_guard import names_private_keys
from kmp import drafts
from kmp.access import Officer, entry_of, officer_for_object, officer_of
from kmp.errors import CannotRenew, KmpError, RenewalTaken
from kmp.forms.requests import CsrForm, SerialForm
from kmp.hand_over import may_take_over
from kmp.models import CertificateRequest, InventoryEntry
from kmp.views.drafts_shown import wanted_context

NO_SUCH_SERIAL = (
    "The inventory of your company has no certificate with this serial number. Compare it with the certificate, or "
    "look for the certificate in Certificates Inventory."
)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(CsrForm)
def renew_entry(request: HttpRequest, reference: str) -> HttpResponse:
    """Way A: the expiring record, and the CSR that is to renew it. The draft begins once there is one."""
    officer = officer_for_object(request)
    entry = entry_of(officer.company, reference)
    try:
        begun = drafts.own_renewal(entry, by=officer.user)
    except KmpError as refusal:
        form = CsrForm(request.POST, request.FILES) if request.method == "POST" else CsrForm()
        return _refused_page(request, officer, entry, form, refusal)
    if request.method != "POST":
        if begun is not None:
            return redirect("kmp:request_csr", begun.number)
        return _page(request, officer, entry, CsrForm())
    form = CsrForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            draft = _begin(request, officer, entry, form)
        except KmpError as refusal:
            return _refused_page(request, officer, entry, form, refusal)
        return redirect("kmp:request_review", draft.number)
    form.ask_for_file_again()
    return _page(request, officer, entry, form)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(SerialForm)
def renew_by_serial(request: HttpRequest) -> HttpResponse:
    """Way B: from a serial number to the same record. It is sent by POST, so that it stands in no address."""
    officer = officer_of(request)
    context: dict[str, Any] = {"officer": officer, "section": "requests"}
    if request.method != "POST":
        return render(request, "kmp/renew_by_serial.html", {**context, "serial_form": SerialForm()})
    serial_form = SerialForm(request.POST)
    if serial_form.is_valid():
        entry = _entry_with_serial(officer.company, serial_form.cleaned_data["serial"])
        if entry is not None:
            return _found(request, officer, entry, context | {"serial_form": serial_form})
        serial_form.add_error("serial", NO_SUCH_SERIAL)
    return render(request, "kmp/renew_by_serial.html", {**context, "serial_form": serial_form})


def _found(request: HttpRequest, officer: Officer, entry: InventoryEntry, context: dict[str, Any]) -> HttpResponse:
    try:
        context |= {"begun": drafts.own_renewal(entry, by=officer.user), "form": CsrForm(), **_record(officer, entry)}
    except KmpError as refusal:
        context |= {**_record(officer, entry), **_why(refusal, officer)}
    return render(request, "kmp/renew_by_serial.html", context)


def _entry_with_serial(company: Company, serial: str) -> InventoryEntry | None:
    """The company's certificate with this serial number; for anybody else's the same one query finds none."""
    # Two of our CA's generations might give the same number, once in the life of the universe.
    entries = InventoryEntry.objects.alias(digits=Length("serial")).filter(
        company=company, digits=len(serial), serial=serial
    )
    return entries.select_related("application", "certificate", "company").order_by("-issued_at").first()


def _begin(request: HttpRequest, officer: Officer, entry: InventoryEntry, form: CsrForm) -> CertificateRequest:
    now, actor = timezone.now(), actor_of(request)
    draft = drafts.start_renewal(entry, by=officer.user, actor=actor, now=now)
    return drafts.save_csr(draft, form.content, name=form.file_name, by=officer.user, actor=actor, now=now)


def _page(request: HttpRequest, officer: Officer, entry: InventoryEntry, form: CsrForm) -> HttpResponse:
    context = {"officer": officer, "section": "inventory", "form": form, **_record(officer, entry)}
    return render(request, "kmp/renew.html", context)


def _refused_page(
    request: HttpRequest, officer: Officer, entry: InventoryEntry, form: CsrForm, refusal: KmpError
) -> HttpResponse:
    """Why this certificate cannot be renewed now. What was pasted is still there."""
    context = {"officer": officer, "section": "inventory", **_record(officer, entry), **_why(refusal, officer)}
    return render(request, "kmp/renew.html", {**context, "form": form if form.is_bound else None})


def _record(officer: Officer, entry: InventoryEntry) -> dict[str, Any]:
    now = timezone.now()
    wanted = wanted_context(
        entry.application, entry.environment, entry.profile, company=officer.company, expiring=entry, now=now
    )
    return {"entry": entry, "now": company_time(officer.company, now), **wanted}


def _why(refusal: KmpError, officer: Officer) -> dict[str, Any]:
    taken = refusal.request if isinstance(refusal, RenewalTaken) else None
    return {
        "refusal": str(refusal),
        "taken": taken,
        "may_take_over": taken is not None and may_take_over(taken, officer.user),
        "successor": refusal.successor if isinstance(refusal, CannotRenew) else None,
    }
