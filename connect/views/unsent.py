"""The form that was sent when its session had ended: the page that offers to send it after all."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connect.actors import signed_in
from connect.unsent import kept


@never_cache
@require_http_methods(["GET", "POST"])
def unsent(request: HttpRequest) -> HttpResponse:
    """What is kept. A POST lets go of it, as each does (``connect.sign_in_middleware``)."""
    found = kept(request, signed_in(request))
    if request.method == "POST" or found is None:
        return redirect("home")
    shown = [(_label(name), value) for name, value in found.fields if value]
    context = {"unsent": found, "shown": shown, "left_out": [_label(name) for name in found.left_out]}
    return render(request, "account/unsent.html", context)


def _label(name: str) -> str:
    """The name of a field as people read it."""
    return name.replace("_", " ").capitalize()
