"""Where one is signed in, and the way to end it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connect.actors import actor_of, signed_in
from connect.sessions import count_elsewhere, sessions_of, sign_out_elsewhere


@never_cache
@require_http_methods(["GET", "POST"])
def sessions(request: HttpRequest) -> HttpResponse:
    """The open sessions; a POST ends all but this one."""
    user, key, now = signed_in(request), request.session.session_key, timezone.now()
    if request.method == "POST":
        count = sign_out_elsewhere(user, keep=key, actor=actor_of(request), now=now)
        ended = "1 other session has ended." if count == 1 else f"{count} other sessions have ended."
        messages.success(request, ended if count else "You are signed in nowhere else.")
        return redirect("account_sessions")
    context = {
        "sessions": sessions_of(user, current=key, now=now),
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "others": count_elsewhere(user, current=key, now=now),
    }
    return render(request, "usersessions/list.html", context)
