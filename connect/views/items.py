"""My Items: what the signed-in person may open, and how requests for more stand."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connect import access, access_requests
from connect.actors import actor_of, signed_in
from connect.administrators import has_inbox, security_administrators_of
from connect.cards import items_of
from connect.decision_forms import WithdrawForm
from connect.errors import NoLongerPossible, NotAllowed
from connect.private_key_guard import names_private_keys
from connect.records import names_of


@require_safe
def items(request: HttpRequest) -> HttpResponse:
    """Cards of what was requested and of what is open to everybody."""
    user = signed_in(request)
    context = {"cards": items_of(user), "has_inbox": has_inbox(user), "now": timezone.now()}
    return render(request, "connect/items.html", context)


@require_safe
def item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """The confirmation of a request of one's own, and afterwards how it stands."""
    own = access.item_of(signed_in(request), item_id)
    application, level = names_of(own)
    deciders = security_administrators_of(own.company).exclude(pk=own.user_id)
    context = {
        "access": own,
        "application_name": application,
        "level_label": level,
        "deciders": deciders,
        "now": timezone.now(),
    }
    return render(request, "connect/item.html", context)


@require_POST
def cancel(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Take back a request that nobody has decided on."""
    user = signed_in(request)
    own = access.item_of(user, item_id)
    try:
        access_requests.cancel(own, by=user, actor=actor_of(request), now=timezone.now())
    except NoLongerPossible as refusal:
        messages.warning(request, str(refusal))
    else:
        messages.success(request, "Your request is cancelled. You can ask again in the Store at any time.")
    return redirect("connect:items")


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(WithdrawForm)
def give_up(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Give up access of one's own, after asking."""
    user = signed_in(request)
    own = access.item_of(user, item_id)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            access_requests.withdraw(own, by=user, **form.cleaned_data, actor=actor_of(request), now=timezone.now())
        except (NoLongerPossible, NotAllowed) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"You have given up access to the {names_of(own)[0]}.")
            return redirect("connect:items")
    application, level = names_of(own)
    context = {"access": own, "application_name": application, "level_label": level, "form": form}
    return render(request, "connect/give_up.html", context)
