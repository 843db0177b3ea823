"""Addresses of requests: the list, one request, and the steps of the wizard."""

from __future__ import annotations

from django.urls import path

import kmp.converters  # noqa: F401  registers <request_number:…>
from kmp.views import draft, new_request, renewals, requests

_ONE = "requests/<request_number:number>/"

urlpatterns = [
    path("requests/", requests.requests, name="requests"),
    path("requests/new/", new_request.new_request, name="request_new"),
    path("requests/renew/", renewals.renew_by_serial, name="renew_by_serial"),
    path("certificates/<slug:reference>/renew/", renewals.renew_entry, name="entry_renew"),
    path(_ONE, requests.request_page, name="request"),
    path(f"{_ONE}details/", new_request.details, name="request_details"),
    path(f"{_ONE}csr/", draft.csr, name="request_csr"),
    path(f"{_ONE}review/", draft.review, name="request_review"),
    path(f"{_ONE}submit/", draft.submit, name="request_submit"),
    path(f"{_ONE}cancel/", requests.cancel, name="request_cancel"),
    path(f"{_ONE}take-over/", requests.take_over, name="request_take_over"),
    path(f"{_ONE}correct/", requests.correct, name="request_correct"),
]
