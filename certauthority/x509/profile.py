"""What a certificate of ours looks like, apart from whose it is: the profile, its dates and its serial number."""

from __future__ import annotations

import calendar
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from .errors import ProfileError
from .identifiers import KEY_USAGES

# Purposes that our own leaf certificates may have.
_LEAF_PURPOSES = frozenset({"clientAuth", "serverAuth", "OCSPSigning"})
_CA_USAGES = frozenset({"keyCertSign", "cRLSign"})
_MAX_MONTHS = 12 * 100
_MAX_DAYS = 365
_SERIAL_BITS = 159
# RFC 5280, 8: an https address inside a certificate could need itself to be checked, so only plain http is written.
_URL = re.compile(r"http://[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything in a certificate but its subject, key, serial number and dates.

    ``months`` are calendar months of validity; a certificate of days has 0 of them, and ``days``. An empty address is
    left out of the certificate. A leaf with an RSA key also gets keyEncipherment, unless it signs OCSP responses.
    ``ocsp_no_check`` says that its own revocation is not to be looked up (RFC 6960, 4.2.2.2.1). Raises ProfileError for
    values that make no sense.
    """

    name: str
    is_ca: bool
    path_length: int | None
    key_usage: tuple[str, ...]
    extended_key_usage: tuple[str, ...]
    months: int
    crl_url: str = ""
    ca_issuer_url: str = ""
    ocsp_url: str = ""
    days: int = 0
    ocsp_no_check: bool = False

    def __post_init__(self) -> None:
        self._check_key_usage()
        if self.is_ca:
            self._check_ca()
        else:
            self._check_leaf()
        self._check_validity()
        for url in (self.crl_url, self.ca_issuer_url, self.ocsp_url):
            if url and not _URL.fullmatch(url):
                raise self._error(f"“{url}” is not an address that begins with http:// and has no spaces")

    def _check_validity(self) -> None:
        if self.days:
            if self.months or not 1 <= self.days <= _MAX_DAYS:
                raise self._error(f"its validity is {self.days} days. Use 1 to {_MAX_DAYS}, and no months")
        elif not 1 <= self.months <= _MAX_MONTHS:
            raise self._error(f"its validity is {self.months} months. Use 1 to {_MAX_MONTHS}")

    def _check_key_usage(self) -> None:
        if not self.key_usage or len(set(self.key_usage)) < len(self.key_usage):
            raise self._error("name each key usage once, and at least one")
        if unknown := set(self.key_usage) - set(KEY_USAGES):
            raise self._error(f"{', '.join(sorted(unknown))} is no key usage of RFC 5280, 4.2.1.3")
        if len(set(self.extended_key_usage)) < len(self.extended_key_usage):
            raise self._error("name each extended key usage once")
        if unknown := set(self.extended_key_usage) - _LEAF_PURPOSES:
            raise self._error(
                f"{', '.join(sorted(unknown))} is no purpose of ours. Use clientAuth, serverAuth or OCSPSigning"
            )

    def _check_ca(self) -> None:
        if not set(self.key_usage) >= _CA_USAGES:
            raise self._error("a CA needs keyCertSign, and cRLSign for its revocation list (RFC 5280, 4.2.1.3)")
        if self.path_length is not None and self.path_length < 0:
            raise self._error("a path length is 0 or more (RFC 5280, 4.2.1.9)")
        if self.ocsp_no_check:
            raise self._error("a CA’s revocation must be looked up (RFC 6960, 4.2.2.2.1)")

    def _check_leaf(self) -> None:
        if self.path_length is not None:
            raise self._error("only a CA has a path length (RFC 5280, 4.2.1.9)")
        if set(self.key_usage) & _CA_USAGES:
            raise self._error("keyCertSign and cRLSign are for CAs only (RFC 5280, 4.2.1.3)")
        if "digitalSignature" not in self.key_usage:
            raise self._error("a key that proves itself in TLS needs digitalSignature (RFC 8446, 4.4.2.2)")
        if not self.extended_key_usage:
            raise self._error("a certificate that is no CA must name its purpose, such as clientAuth")
        if self.ocsp_no_check != ("OCSPSigning" in self.extended_key_usage) or (
            self.ocsp_no_check and len(self.extended_key_usage) > 1
        ):
            raise self._error("an OCSP responder has one purpose, OCSPSigning, and ocsp-nocheck (RFC 6960, 4.2.2.2)")

    def _error(self, reason: str) -> ProfileError:
        return ProfileError(f"The certificate profile {self.name} cannot be used: {reason}.")


def add_months(start: datetime, months: int) -> datetime:
    """The same day and time that many calendar months later, in UTC; the month's last day where it has no such day.

    Raises ValueError for a time without a zone.
    """
    if start.tzinfo is None:
        raise ValueError("a time without a zone could be any hour of the day")
    moment = start.astimezone(UTC)
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))


def new_serial() -> int:
    """A serial number of 159 random bits: never zero, and never over 20 octets (RFC 5280, 4.1.2.2)."""
    while True:
        if serial := secrets.randbits(_SERIAL_BITS):
            return serial
