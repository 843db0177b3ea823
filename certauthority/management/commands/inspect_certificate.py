"""Judge a certificate as the page `Upload mTLS certificate` does."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from certauthority import uploads
from certauthority.inspection import InspectionCommand, key_facts
from certauthority.x509.armor import certificate_ders
from certauthority.x509.certificate_rules import CertificateJudgement, judge_certificate
from certauthority.x509.errors import UnreadableInput
from certauthority.x509.limits import MAX_CHAIN_BYTES
from certauthority.x509.verdicts import Verdict


class Command(InspectionCommand):
    help = "Say whether a certificate (with its chain, in any order) could be uploaded, and why not."
    max_bytes = MAX_CHAIN_BYTES

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--trust", action="extend", nargs="+", metavar="FILE", help="trust these CAs instead of the site's"
        )
        parser.add_argument("--at", metavar="ISO-TIME", help="judge at this moment instead of now, such as 2027-01-31")

    def judge(self, data: bytes, **options: Any) -> tuple[bool, tuple[Verdict, ...], dict[str, Any]]:
        at = _moment(options["at"])
        if options["trust"]:
            trusted = [der for file in options["trust"] for der in self._trusted(file)]
            judgement = judge_certificate(data, trusted=trusted, at=at)
        else:
            judgement = uploads.judge_upload(data, holder=None, now=at)
        return judgement.acceptable, judgement.verdicts, _facts(judgement)

    def _trusted(self, file: str) -> list[bytes]:
        try:
            return certificate_ders(self.read(file))
        except UnreadableInput as error:
            raise CommandError(f"{file}: {error}") from error


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--at {text!r} is no ISO 8601 time. Give one such as 2027-01-31T12:00:00+00:00.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _facts(judgement: CertificateJudgement) -> dict[str, Any]:
    leaf = judgement.leaf
    if leaf is None:
        return {"subject": None, "key": None}
    return {
        "subject": leaf.subject.text,
        "issuer": leaf.issuer.text,
        "serial": leaf.serial_hex,
        "not_before": leaf.not_before.isoformat(),
        "not_after": leaf.not_after.isoformat(),
        "sha256": leaf.fingerprint,
        "key": key_facts(leaf.public_key),
        "chain": [issuer.subject.text for issuer in judgement.chain],
    }
