"""The audit log in the admin: to read, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from audit.models import AuditEvent

# A generic class for the type checker only: Django's own cannot be subscripted when the site runs.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(ModelAdmin):
    """Shows a model to the staff. What changes it is a use-case, never a form of the admin."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "company_at", "actor", "address", "action", "object_label")
    list_filter = ("action",)
    search_fields = ("actor", "object_label", "object_id", "project", "company")
    ordering = ("-id",)
    show_full_result_count = False
