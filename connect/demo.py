"""The accounts of the demo data, and the password they share. They exist in demo mode only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DEMO_PASSWORD: Final = "rehearsal"  # noqa: S105  not a secret: the sign-in page of a demo site shows it

ACME: Final = "Acme Payments Ltd"
GLOBEX: Final = "Globex Bank"


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One account: its person, the name of its company ("" for the site's own staff), and what it may do, in words."""

    email: str
    name: str
    company: str
    role_text: str
    is_staff: bool = False
    is_security_administrator: bool = False


DEMO_ACCOUNTS: Final = (
    DemoAccount("admin@acme.example", "Alice Marlow", ACME, "Project admin"),
    DemoAccount("reader@acme.example", "Bob Tran", ACME, "Read-only member"),
    DemoAccount("officer1@acme.example", "Olga Brandt", ACME, "Security officer"),
    DemoAccount("officer2@acme.example", "Owen Price", ACME, "Security officer"),
    DemoAccount(
        "security-admin@acme.example", "Sam Whitfield", ACME, "Security Administrator", is_security_administrator=True
    ),
    DemoAccount("developer@globex.example", "Charlie Okafor", GLOBEX, "Project admin"),
    DemoAccount("officer@globex.example", "Greta Lindqvist", GLOBEX, "Security officer"),
    DemoAccount("keymanagement@rehearsal.example", "Kim Adeyemi", "", "Site staff", is_staff=True),
)
