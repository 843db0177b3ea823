"""Rules of a company for an application, and names that keep or break them."""

from __future__ import annotations

from certauthority.x509.attribute_rules import AttributeKind, AttributeRule, DnRules
from certauthority.x509.keys import KEY_TYPES, KeyType
from certauthority.x509.names import DistinguishedName, encode_subject, read_name
from certauthority.x509.subject_rules import SubjectRules
from certauthority.x509.verdicts import broken

UTF8 = 0x0C
K = AttributeKind
COUNTRY = AttributeRule("C", K.COMPANY, "country", True, 2)
COMPANY = AttributeRule("O", K.COMPANY, "name", False, 64)
TEAM = AttributeRule("OU", K.FREE, "Payouts", False, 64)
CLIENT = AttributeRule("CN", K.PATTERN, "<unique>-Client-<environment>-<cid>", False, 64)
FIXED_NAME = AttributeRule("CN", K.PATTERN, "<environment> XBS", False, 64)
UNIQUE = "1799020800"


def rules(
    *attributes: AttributeRule, keys: tuple[KeyType, ...] = KEY_TYPES, company: str = "Harbour & Vale Bank"
) -> DnRules:
    """The rules of this company for Transaction API in Production."""
    return DnRules(
        attributes or (CLIENT, TEAM, COMPANY, COUNTRY), company, "245901", "IE", "PROD", keys, "transaction-api"
    )


def subject(**values: str) -> DistinguishedName:
    """The expiring certificate's name with these values instead; an empty one leaves the attribute out."""
    usual = {"C": "IE", "O": "Harbour & Vale Bank", "OU": "Cross-Border Payouts", "CN": "1768953600-Client-PROD-245901"}
    return read_name(encode_subject([(label, value) for label, value in {**usual, **values}.items() if value]))


def broken_rules(made: SubjectRules, asked: DistinguishedName) -> list[str]:
    """Ids of the rules that a name breaks."""
    return [verdict.id for verdict in broken(made.judge(asked))]
