"""Addresses of the Developers portal."""

from __future__ import annotations

from django.urls import include, path

import portal.converters  # noqa: F401  registers <environment:…>
from portal.views import activity, notices, production, projects, team, trusted_cas

app_name = "portal"

urlpatterns = [
    path("projects/", projects.projects, name="projects"),
    path("projects/new/", projects.create, name="project_create"),
    path("projects/<uuid:project_id>/", projects.summary, name="project"),
    path("projects/<uuid:project_id>/delete/", projects.delete, name="project_delete"),
    path("projects/<uuid:project_id>/team/", team.team, name="team"),
    path("projects/<uuid:project_id>/team/invite/", team.invite, name="team_invite"),
    path("projects/<uuid:project_id>/team/<uuid:user_id>/role/", team.role, name="team_role"),
    path("projects/<uuid:project_id>/team/<uuid:user_id>/remove/", team.remove, name="team_remove"),
    path("projects/<uuid:project_id>/activity/", activity.activity, name="activity"),
    path("projects/<uuid:project_id>/notices/", notices.notices, name="notices"),
    path("projects/<uuid:project_id>/notices/<uuid:project_notice_id>/again/", notices.retry, name="notice_retry"),
    path("projects/<uuid:project_id>/production-access/", production.production_access, name="production_access"),
    path("production-access/", production.production_requests, name="production_requests"),
    path("production-access/<uuid:production_request_id>/", production.production_request, name="production_request"),
    path("trusted-cas/", trusted_cas.trusted_cas, name="trusted_cas"),
    path("trusted-cas/add/", trusted_cas.add, name="trusted_ca_add"),
    path("trusted-cas/<uuid:trusted_ca_id>/", trusted_cas.change, name="trusted_ca"),
    path("", include("portal.urls_credentials")),
    path("", include("portal.urls_webhooks")),
]
