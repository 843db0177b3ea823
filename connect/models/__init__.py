"""People, the companies they work for, what they may open, and what they are told."""

from connect.models.access import AccessRequest, AccessState
from connect.models.clock import ClockJump
from connect.models.notices import Channel, DemoMail, Notice, NoticeState
from connect.models.people import NO_VERIFIED_COMPANY, Company, User, UserManager
from connect.models.preferences import NoticePreference
from connect.models.verification import CompanyVerification, VerificationState
from connect.models.watched import Watched
from connect.models.webhooks import DeliveryState, Webhook, WebhookDelivery

__all__ = [
    "NO_VERIFIED_COMPANY",
    "AccessRequest",
    "AccessState",
    "Channel",
    "ClockJump",
    "Company",
    "CompanyVerification",
    "DeliveryState",
    "DemoMail",
    "Notice",
    "NoticePreference",
    "NoticeState",
    "User",
    "UserManager",
    "VerificationState",
    "Watched",
    "Webhook",
    "WebhookDelivery",
]
