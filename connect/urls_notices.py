"""Addresses of the bell and of demo mode's mailbox."""

from __future__ import annotations

from django.urls import path

from connect.views import mailbox, notices

urlpatterns = [
    path("notices/", notices.bell, name="notices"),
    path("notices/read/", notices.read_all, name="notices_read"),
    path("notices/<uuid:notice_id>/open/", notices.open_notice, name="notice_open"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("mailbox/<uuid:mail_id>/", mailbox.mail, name="mail"),
    path("mailbox/<uuid:mail_id>/html/", mailbox.mail_html, name="mail_html"),
]
