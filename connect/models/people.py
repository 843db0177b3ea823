"""People and the companies they work for."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from connect.text import validate_plain_text

NO_VERIFIED_COMPANY = "000000"


class Company(models.Model):
    """A customer. ``cid`` is its number of 6 to 10 digits; before it is verified, certificates carry 000000."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=64, unique=True, validators=[validate_plain_text])
    cid = models.CharField(
        "CID",
        max_length=10,
        unique=True,
        null=True,
        blank=True,
        validators=[RegexValidator(r"\A[0-9]{6,10}\Z", "A CID has 6 to 10 digits.")],
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    country = models.CharField(
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", "Give the two capital letters of ISO 3166, such as GB.")],
    )
    group_email = models.EmailField(
        "Certificate Management Group Email",
        blank=True,
        help_text="A mailbox that outlives people: every notice about the company's KMP certificates goes there too",
    )
    clock_ahead = models.DurationField(
        default=timedelta(0), editable=False, help_text="How far the company's clock is ahead of real time"
    )
    clock_run = models.UUIDField(null=True, editable=False, help_text="The clock run that is on; none in real time")

    class Meta:
        verbose_name_plural = "companies"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="company_clock_whole",
                condition=Q(clock_run=None, clock_ahead=timedelta(0))
                | Q(clock_run__isnull=False, clock_ahead__gt=timedelta(0)),
            ),
        ]
        indexes = [
            models.Index(fields=["clock_ahead"], name="company_clock_ahead", condition=Q(clock_run__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def certificate_cid(self) -> str:
        """The CID that a common name must carry: the verified one, else 000000."""
        return self.cid if self.cid and self.verified_at else NO_VERIFIED_COMPANY


class UserManager(BaseUserManager["User"]):
    """Makes users whose name is their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Store a user; ``password=None`` makes one who cannot sign in yet."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Store a member of the site's staff with every permission."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. E-mail addresses are compared without regard to case."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=80, validators=[validate_plain_text])
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT, related_name="users")
    is_staff = models.BooleanField(
        "site staff", default=False, help_text="May use the admin and manage trusted CAs. Not a role in a company."
    )
    is_security_administrator = models.BooleanField(
        "Security Administrator",
        default=False,
        help_text="Decides who of the company gets access to applications. Not a security officer.",
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def __str__(self) -> str:
        return self.email

    @property
    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = self.name.split() or [self.email]
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper()
