"""Addresses of the Store, of My Items, of the inbox, and of the company."""

from __future__ import annotations

from django.urls import path

from connect.views import company, inbox, items, store, verifications

urlpatterns = [
    path("store/", store.store, name="store"),
    path("store/<slug:application>/request/", store.request_access, name="request_access"),
    path("items/", items.items, name="items"),
    path("items/<uuid:item_id>/", items.item, name="item"),
    path("items/<uuid:item_id>/cancel/", items.cancel, name="item_cancel"),
    path("items/<uuid:item_id>/give-up/", items.give_up, name="item_give_up"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:access_id>/", inbox.inbox_item, name="inbox_item"),
    path("inbox/<uuid:access_id>/withdraw/", inbox.withdraw, name="access_withdraw"),
    path("company/", company.company, name="company"),
    path("company/verify/", company.verify, name="company_verify"),
    path("verifications/", verifications.verifications, name="verifications"),
    path("verifications/<uuid:claim_id>/", verifications.verification, name="verification"),
]
