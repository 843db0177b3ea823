"""Projects in the admin: to look something up for somebody who asks. Pages of the portal change them."""

from __future__ import annotations

from django.contrib import admin

from audit.admin import ReadOnlyAdmin
from portal.models import Credential, Membership, ProductionAccessRequest, Project


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    list_display = ("name", "company", "created_at", "deleted_at")
    list_filter = ("company",)
    list_select_related = ("company",)
    search_fields = ("name", "company__name", "id")


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("project", "user", "role", "since")
    list_filter = ("role",)
    list_select_related = ("project", "user")
    search_fields = ("project__name", "user__email")


@admin.register(Credential)
class CredentialAdmin(ReadOnlyAdmin):
    list_display = ("alias", "project", "environment", "created_at", "ended_at", "end_reason")
    list_filter = ("environment", "end_reason")
    list_select_related = ("project",)
    search_fields = ("alias", "project__name", "certificate__common_name", "certificate__serial")
    show_full_result_count = False


@admin.register(ProductionAccessRequest)
class ProductionAccessRequestAdmin(ReadOnlyAdmin):
    list_display = ("project", "state", "requested_at", "requested_by", "decided_at", "decided_by")
    list_filter = ("state",)
    list_select_related = ("project", "requested_by", "decided_by")
    search_fields = ("project__name", "project__company__name", "requested_by__email")
