"""Addresses of the bell, of the pages about notices, and of demo mode's mailbox."""

from __future__ import annotations

from django.urls import path

from connect.views import calendar_feed, company_notices, mailbox, notice_settings, notices

urlpatterns = [
    path("notices/", notices.bell, name="notices"),
    path("notices/read/", notices.read_all, name="notices_read"),
    path("notices/<uuid:notice_id>/open/", notices.open_notice, name="notice_open"),
    path("notices/settings/", notice_settings.notice_settings, name="notice_settings"),
    path("notices/calendar/", notice_settings.calendar_address, name="calendar_address"),
    path("calendar/<str:calendar_secret>.ics", calendar_feed.calendar_feed, name="calendar_feed"),
    path("digest/<str:digest_token>/", notice_settings.digest_unsubscribe, name="digest_unsubscribe"),
    path("company/notices/", company_notices.company_notices, name="company_notices"),
    path(
        "company/notices/<uuid:company_notice_id>/again/",
        company_notices.company_notice_retry,
        name="company_notice_retry",
    ),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<uuid:mail_id>/", mailbox.mail, name="mail"),
    path("mailbox/<uuid:mail_id>/html/", mailbox.mail_html, name="mail_html"),
]
