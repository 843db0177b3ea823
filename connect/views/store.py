"""Store: what there is, and how to get access to it."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from connect import access_requests
from connect.actors import actor_of, signed_in
from connect.cards import cards_of
from connect.catalogue import Capability, application_of, found
from connect.decision_forms import RequestAccessForm
from connect.errors import AlreadyRequested, NotAllowed
from connect.private_key_guard import names_private_keys
from connect.views.htmx_request import HtmxRequest

_QUERY_LENGTH = 100


@require_safe
@vary_on_headers("HX-Request")
def store(request: HtmxRequest) -> HttpResponse:
    """The cards. Search and filter stand in the address; htmx swaps the cards alone."""
    words = request.GET.get("q", "").strip()[:_QUERY_LENGTH]
    capability = request.GET.get("capability", "")
    context = {
        "words": words,
        "capability": capability,
        "capabilities": Capability,
        "cards": cards_of(signed_in(request), found(words=words, capability=capability)),
    }
    return render(request, "connect/_store_cards.html" if request.htmx else "connect/store.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@names_private_keys(RequestAccessForm)
def request_access(request: HttpRequest, application: str) -> HttpResponse:
    """Choose a level and ask for it. Who has asked already is led to that request."""
    user = signed_in(request)
    card = application_of(application)
    if card is None or not card.is_requested:
        raise Http404
    (mine,) = cards_of(user, [card])
    if mine.request is not None and not mine.may_request:
        return redirect("connect:item", mine.request.pk)
    form = RequestAccessForm(request.POST if request.method == "POST" else None, application=card)
    if request.method == "POST" and form.is_valid():
        try:
            asked = access_requests.request_access(
                user, application=card.code, **form.cleaned_data, actor=actor_of(request), now=timezone.now()
            )
        except AlreadyRequested as already:
            messages.info(request, str(already))
            return redirect("connect:item", already.request.pk)
        except NotAllowed as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"You have requested access to the {card.name}.")
            return redirect("connect:item", asked.pk)
    return render(request, "connect/request_access.html", {"form": form, "card": mine})
