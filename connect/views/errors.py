"""Pages for requests that are refused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403 with the sentence of ``PermissionDenied``, if any, and its ``way`` out: label and URL name."""
    label, name = getattr(exception, "way", ("My Projects", "home"))
    return render(request, "403.html", {"sentence": str(exception or ""), "way": label, "way_name": name}, status=403)
