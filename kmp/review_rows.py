"""The rows of the review: each attribute, the key and the signature, with what is wanted and a verdict."""

from __future__ import annotations

from certauthority.policy import RequestJudgement
from certauthority.x509.attribute_differences import instruction, surplus
from certauthority.x509.attribute_rules import SUBJECT_LABELS, AttributeComparison, Comparison, DnRules, compare
from certauthority.x509.certificates import CertificateFacts
from certauthority.x509.csr import ParsedCsr
from certauthority.x509.verdicts import Verdict, broken

_SIGNATURE_REQUIREMENT = "SHA-256, -384 or -512, by the key in the CSR"


def rows_of(
    judgement: RequestJudgement, rules: DnRules, expiring: CertificateFacts | None
) -> tuple[AttributeComparison, ...]:
    """The rows for a CSR that could be read; none for anything else."""
    csr = judgement.csr
    if csr is None:
        return ()
    attributes = compare(expiring.subject, csr.subject, rules) if expiring else _attributes(csr, rules)
    wrong = broken(judgement.verdicts)
    return (*attributes, _key(csr, rules, expiring, wrong), _signature(csr, expiring, wrong))


def key_requirement(rules: DnRules) -> str:
    """The types of key that are taken, in words."""
    *others, last = rules.key_types
    return f"{', '.join(others)} or {last}" if others else last


def _attributes(csr: ParsedCsr, rules: DnRules) -> tuple[AttributeComparison, ...]:
    """For a new certificate there is nothing to compare with but the rules."""
    found = {attribute.label for attribute in csr.subject.attributes}
    ruled = {wanted.rule.label for wanted in rules.wanted if wanted.form != "absent"}
    labels = [label for label in SUBJECT_LABELS if label in found | ruled]
    labels += sorted(found - set(SUBJECT_LABELS))
    return tuple(_attribute(label, csr.subject.get(label), rules) for label in labels)


def _attribute(label: str, values: tuple[str, ...], rules: DnRules) -> AttributeComparison:
    wanted = rules.wanted_of(label)
    is_right = wanted.accepts(values) if wanted else not values
    verdict, hint, mark = Comparison.MATCH, "", ""
    if not is_right:
        shape = wanted.shape if wanted else ""
        verdict, hint, mark = Comparison.CHANGE, instruction(label, shape, values), surplus(shape, values)
    return AttributeComparison(label, "", ", ".join(values), rules.requirement_text(label), verdict, hint, mark)


def _key(
    csr: ParsedCsr, rules: DnRules, expiring: CertificateFacts | None, wrong: tuple[Verdict, ...]
) -> AttributeComparison:
    about = next((verdict for verdict in wrong if verdict.id.startswith("key.")), None)
    verdict, hint = Comparison.MATCH, ""
    if about is not None:
        verdict, hint = Comparison.CHANGE, f"{about.title}: {about.wanted}"
    elif expiring is not None and expiring.public_key.fingerprint == csr.public_key.fingerprint:
        hint = "The same key as before. A new one is safer"
    elif expiring is not None:
        hint = "A new key, as it should be"
    before = expiring.public_key.description if expiring else ""
    return AttributeComparison("Key", before, csr.public_key.description, key_requirement(rules), verdict, hint)


def _signature(csr: ParsedCsr, expiring: CertificateFacts | None, wrong: tuple[Verdict, ...]) -> AttributeComparison:
    about = next((verdict for verdict in wrong if verdict.id.startswith("sig.") or verdict.id == "csr.signature"), None)
    verdict, hint = Comparison.MATCH, ""
    if about is not None:
        verdict, hint = Comparison.CHANGE, f"{about.title}: {about.wanted}"
    before = expiring.signature.hash_name or expiring.signature_algorithm if expiring else ""
    now = csr.algorithm.hash_name or csr.signature_algorithm
    return AttributeComparison("Signature", before, now, _SIGNATURE_REQUIREMENT, verdict, hint)
