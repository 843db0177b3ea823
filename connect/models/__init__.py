"""People, the companies they work for, what they may open, and what they are told."""

from connect.models.access import AccessRequest, AccessState
from connect.models.notices import Channel, DemoMail, Notice, NoticeState
from connect.models.people import NO_VERIFIED_COMPANY, Company, User, UserManager
from connect.models.verification import CompanyVerification, VerificationState

__all__ = [
    "NO_VERIFIED_COMPANY",
    "AccessRequest",
    "AccessState",
    "Channel",
    "Company",
    "CompanyVerification",
    "DemoMail",
    "Notice",
    "NoticeState",
    "User",
    "UserManager",
    "VerificationState",
]
