"""`Send me a sample` of a notice."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from connect import samples
from connect.actors import signed_in


@require_POST
def notice_sample(request: HttpRequest) -> HttpResponse:
    """Send the signed-in person a sample of one kind."""
    user = signed_in(request)
    try:
        samples.send_sample(request.POST.get("kind", ""), to=user, now=timezone.now())
    except samples.SampleRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"A sample is on its way to {user.email}. It is in your bell, too.")
    return redirect("connect:notice_settings")
