"""Addresses of the review queue, for the site's staff."""

from __future__ import annotations

from django.urls import path

import kmp.converters  # noqa: F401  registers <request_number:…>
from kmp.views import review

urlpatterns = [
    path("review/", review.review_queue_page, name="review_queue"),
    path("review/<request_number:submitted_number>/", review.review, name="review"),
]
