"""People and companies in the admin. The site's staff create accounts there and verify companies.

Signing in to the admin goes by the site's own page, so that the lock after failed attempts holds for it, too.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db import transaction
from django.db.models import Model
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from audit.events import AuditedObject, JsonScalar, record
from connect.access_requests import end_of_former
from connect.actors import actor_of, signed_in
from connect.admin_factors import factors_in_words, remove_second_factors
from connect.models import AccessRequest, AccessState, Company, User
from connect.officers import KMP

# Generic classes for the type checker only: Django's own cannot be subscripted when the site runs.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    CreationForm = AdminUserCreationForm[User]
    ChangeForm = UserChangeForm[User]
    AnyUserAdmin = DjangoUserAdmin[User]
else:
    ModelAdmin = admin.ModelAdmin
    CreationForm = AdminUserCreationForm
    ChangeForm = UserChangeForm
    AnyUserAdmin = DjangoUserAdmin

admin.site.site_header = admin.site.site_title = "mTLS Rehearsal"
admin.site.unregister(EmailAddress)  # An account has one address here, its own.
# Secrets of second factors and keys of sessions are no rows to look at; `remove_second_factors` is the way.
admin.site.unregister((Authenticator, UserSession))
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # as django-allauth says


class NewUserForm(CreationForm):
    """An account with its first password, or without one that works."""

    class Meta:
        model = User
        fields = ("email", "name", "company")

    def clean_email(self) -> str:
        # People type addresses in either case, and sign-in looks for lower case.
        return str(self.cleaned_data["email"]).lower()


class UserForm(ChangeForm):
    """An account that exists."""

    class Meta:
        model = User
        fields = "__all__"

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("is_security_administrator") and not self.cleaned_data.get("company"):
            self.add_error("company", "A Security Administrator decides for a company. Choose it.")
        elif "is_security_administrator" in self.changed_data and self.cleaned_data.get("is_security_administrator"):
            self._refuse_officer()
        return cleaned

    def _refuse_officer(self) -> None:
        """A security officer becomes no Security Administrator. The row is held: none is granted access meanwhile."""
        User.objects.select_for_update(of=("self",), no_key=True).get(pk=self.instance.pk)
        access = AccessRequest.objects.filter(user=self.instance.pk, application=KMP, state=AccessState.GRANTED)
        if access.filter(company=self.cleaned_data["company"]).exists():
            self.add_error(
                "is_security_administrator",
                "This person is a security officer, and a Security Administrator is none: whoever decides on access "
                "does not use it. Let them give up their access to KMP in My Items first, or have it withdrawn.",
            )


class _KeptAdmin(ModelAdmin):
    """Rows are kept for the audit and never deleted, and every change of them is an audit event."""

    audited_type: str
    audited_fields: tuple[str, ...]

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Model, form: BaseModelForm[Any], change: bool) -> None:
        """Store, and record the event in the same transaction (the admin's views open one)."""
        before = self._values(self.model.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        after = self._values(obj)
        if before == after:
            return
        changed = [name for name in after if before.get(name) != after[name]]
        record(
            f"{self.audited_type}.{'changed' if change else 'created'}",
            actor=actor_of(request),
            on=self._audited(obj),
            now=timezone.now(),
            before={name: before[name] for name in changed if name in before},
            after={name: after[name] for name in changed},
        )

    def _audited(self, obj: Model) -> AuditedObject:
        company: Company | None = obj if isinstance(obj, Company) else getattr(obj, "company", None)
        return AuditedObject(
            type=self.audited_type,
            id=str(obj.pk),
            label=str(obj),
            company=str(company.pk) if company else "",
            clock_ahead=company.clock_ahead if company else timedelta(0),
        )

    def _values(self, obj: Model) -> dict[str, JsonScalar]:
        values: dict[str, JsonScalar] = {}
        for name in self.audited_fields:
            value = getattr(obj, name)
            values[name] = value if value is None or isinstance(value, (bool, int)) else str(value)
        return values


@admin.register(User)
class UserAdmin(_KeptAdmin, AnyUserAdmin):
    audited_type = "account"
    audited_fields = ("email", "name", "company", "is_security_administrator", "is_staff", "is_active", "is_superuser")
    form = UserForm
    add_form = NewUserForm
    list_display = ("email", "name", "company", "is_security_administrator", "is_staff", "is_active")
    list_filter = ("is_security_administrator", "is_staff", "is_active", "company")
    list_select_related = ("company",)
    search_fields = ("email", "name")
    ordering = ("email",)
    readonly_fields = ("last_login", "date_joined", "second_factors")
    actions = [remove_second_factors]
    fieldsets = (
        (None, {"fields": ("email", "password", "name", "company", "is_security_administrator")}),
        ("Two-factor sign-in", {"fields": ("second_factors",)}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "company", "usable_password", "password1", "password2")}),)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Model, form: BaseModelForm[Any], change: bool) -> None:
        """Access ends with the account, and with the company that granted it."""
        super().save_model(request, obj, form, change)
        if isinstance(obj, User):
            end_of_former(obj, by=signed_in(request), actor=actor_of(request), now=timezone.now())

    @admin.display(description="Second factors")
    def second_factors(self, user: User) -> str:
        """Removed in the list of users, by the action for lost phones and keys."""
        return factors_in_words(user)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Only superusers give rights."""
        rights = [] if _is_superuser(request) else ["is_staff", "is_superuser", "groups", "user_permissions"]
        return [*self.readonly_fields, *rights]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody takes over the account of a superuser by setting its password."""
        may_change = super().has_change_permission(request, obj)
        return may_change and (_is_superuser(request) or not (isinstance(obj, User) and obj.is_superuser))

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  Django calls it so
        form_url: str = "",
    ) -> HttpResponse:
        """Set another password, or none that works, and record that."""
        with transaction.atomic():
            response = super().user_change_password(request, id, form_url)
            user = self.get_object(request, id)
            if response.status_code == HTTPStatus.FOUND and isinstance(user, User):
                record("account.password_set", actor=actor_of(request), on=self._audited(user), now=timezone.now())
        return response


def _is_superuser(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.is_superuser


@admin.register(Company)
class CompanyAdmin(_KeptAdmin):
    audited_type = "company"
    audited_fields = ("name", "cid", "country", "verified_at", "group_email")
    list_display = ("name", "cid", "country", "verified_at", "group_email")
    search_fields = ("name", "cid")
    fields = ("name", "cid", "country", "verified_at", "group_email")
