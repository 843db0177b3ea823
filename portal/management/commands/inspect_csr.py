"""Judge a CSR as the portal's pages do."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from certauthority.inspection import InspectionCommand, key_facts
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.csr_rules import judge_csr
from certauthority.x509.limits import MAX_CSR_BYTES
from certauthority.x509.verdicts import Verdict
from portal import enrolment
from portal.models import Environment, Project


class Command(InspectionCommand):
    help = "Say whether a CSR would be signed, and every rule that it breaks."
    max_bytes = MAX_CSR_BYTES

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--project", metavar="UUID", help="judge by this project's rules too")
        parser.add_argument("--environment", choices=Environment.values, help="of that project")

    def judge(self, data: bytes, **options: Any) -> tuple[bool, tuple[Verdict, ...], dict[str, Any]]:
        if bool(options["project"]) != bool(options["environment"]):
            raise CommandError("Give --project and --environment together: the rules differ by environment.")
        if not options["project"]:
            judgement = judge_csr(data)
            return judgement.acceptable, judgement.verdicts, _facts(judgement.csr)
        enrolled = enrolment.judge_csr(
            data,
            project=_project(options["project"]),
            environment=Environment(options["environment"]),
            now=timezone.now(),
        )
        return enrolled.outcome.acceptable, enrolled.outcome.verdicts, _facts(enrolled.request.csr)


def _project(text: str) -> Project:
    try:
        project_id = UUID(text)
    except ValueError as error:
        raise CommandError(
            f"--project {text!r} is no UUID. It stands in the address of the project's pages."
        ) from error
    project = Project.objects.select_related("company").filter(pk=project_id, deleted_at=None).first()
    if project is None:
        raise CommandError(f"There is no project {project_id}.")
    return project


def _facts(csr: ParsedCsr | None) -> dict[str, Any]:
    if csr is None:
        return {"subject": None, "key": None, "signature_algorithm": None, "requested_extensions": []}
    return {
        "subject": csr.subject.text,
        "key": key_facts(csr.public_key),
        "signature_algorithm": csr.signature_algorithm,
        "requested_extensions": list(csr.requested_extensions),
    }
