"""What a certificate in somebody's hands is in the database: for each table, where each field of its rows comes from.

Expressions are PostgreSQL's, over the columns of ``NUMBERS``. Parameters are those that `bench.load.fill` gives.
"""
# ruff: noqa: PLC0415  Django is set up (`bench.load.site`) before its models can be imported.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.models import Model

Rows = tuple[type["Model"], Mapping[str, str], str]

# One row for each number: `k` is its place among those of the same holder, `at` when it was issued, `until` its end.
# The arrays say whose it is. Of ten, 7 takes over from 6, a while before that ends.
NUMBERS = """
FROM (SELECT n, k, until, until - interval '397 days' AS at, k %% 20 = 3 AS is_revoked, k %% 10 = 5 AS is_soon,
    encode(sha256(('certificate ' || n)::bytea), 'hex') AS digest, md5('certificate ' || n)::uuid AS certificate,
    md5('holding ' || n)::uuid AS id, md5('holding ' || (n - %(holders)s::int))::uuid AS before,
    (1600000000 + n) || '-Client-MTF-000000' AS common_name,
    (%(places)s::text[])[i] AS place, (%(companies)s::text[])[i] AS company, (%(people)s::uuid[])[i] AS person,
    (%(addresses)s::text[])[i] AS address
  FROM (SELECT n, (n - %(first)s::int) / %(holders)s::int AS k, 1 + (n - %(first)s::int) %% %(holders)s::int AS i
      FROM generate_series(%(first)s::int, %(last)s::int) n) number,
  LATERAL (SELECT %(day)s::timestamptz + n::bigint * 104729 %% 86400 * interval '1 second' + interval '1 day' *
      CASE k %% 20 WHEN 13 THEN -1 - n %% 60 WHEN 5 THEN 1 + n %% 29 WHEN 15 THEN 1 + n %% 29
        ELSE CASE k %% 10 WHEN 6 THEN 31 + n %% 90 WHEN 7 THEN 300 + n %% 90 ELSE 31 + n::bigint * 7919 %% 360 END END
    ) ends (until)) row
"""
_SERIAL = "'4' || substr(digest, 1, 39)"
_REVOKED_AT = "at + interval '6 days'"
_MIDNIGHT = "date_trunc('day', until AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - days * interval '1 day'"
_NEXT_NOTICE = f"""CASE WHEN NOT is_revoked THEN (
  SELECT min({_MIDNIGHT}) FROM unnest(%(thresholds)s::int[]) days WHERE {_MIDNIGHT} > %(now)s::timestamptz) END"""
_LAST_USE = "least(until, %(now)s::timestamptz) - n %% 40 * interval '1 hour'"

_CERTIFICATE = {
    "id": "certificate",
    "authority": "%(authority)s",
    "issuer_digest": "%(issuer_digest)s",
    "issuer": "%(issuer)s",
    "serial": _SERIAL,
    "subject": "'CN=' || common_name || ',OU=Checkout API,O=Company Ltd,C=GB'",
    "subject_digest": "encode(sha256(('subject ' || n)::bytea), 'hex')",
    "common_name": "common_name",
    "fingerprint": "digest",
    "public_key_fingerprint": "encode(sha256(('key ' || n)::bytea), 'hex')",
    "key_description": "'EC P-256'",
    "not_before": "at - interval '1 hour'",
    "not_after": "until",
    "der": "%(der)s",
    "recorded_at": "at",
    "linted_at": "at",
    "revoked_at": f"CASE WHEN is_revoked THEN {_REVOKED_AT} END",
    "revocation_reason": "CASE WHEN is_revoked THEN 'superseded' ELSE '' END",
    "crl_entry": f"CASE WHEN is_revoked THEN %(entry_begins)s::bytea || decode({_SERIAL}, 'hex') || "
    "%(entry_ends)s::bytea END",
    "on_crl_at": f"CASE WHEN is_revoked THEN {_REVOKED_AT} END",
}
_KEY = {"fingerprint": _CERTIFICATE["public_key_fingerprint"], "holder": "company"}
_USE = {"certificate": "certificate", "first_used_at": "at + interval '1 hour'", "last_used_at": _LAST_USE}
_CREDENTIAL = {
    "id": "id",
    "project": "place",
    "environment": "CASE WHEN %(has_production)s::bool AND k %% 5 = 4 THEN 'production' ELSE 'sandbox' END",
    "alias": "'checkout-' || n",
    "certificate": "certificate",
    "subject_digest": _CERTIFICATE["subject_digest"],
    "expires_at": "until",
    "method": "'uploaded-csr'",
    "predecessor": "CASE WHEN k %% 10 = 7 THEN before END",
    "submission": "md5('submission ' || n)",
    "created_at": "at",
    "created_by": "address",
    "ended_at": f"CASE WHEN is_revoked THEN {_REVOKED_AT} END",
    "end_reason": "CASE WHEN is_revoked THEN 'revoked' ELSE '' END",
    "next_notice_at": _NEXT_NOTICE,
}
_ENTRY = {
    "id": "id",
    "reference": "'KM-' || (%(references_from)s::int + n)",
    "company": "company",
    "application": "(%(applications)s::uuid[])[1 + k / 10 %% 5]",
    "environment": "CASE WHEN k / 10 %% 3 = 0 THEN 'production' ELSE 'mtf' END",
    "profile": "'client'",
    "certificate": "certificate",
    "line": "CASE WHEN k %% 10 = 7 THEN before ELSE id END",
    "version": "CASE WHEN k %% 10 = 7 THEN 2 ELSE 1 END",
    "renews": "CASE WHEN k %% 10 = 7 THEN before END",
    # 1 is Renewed, once the next number is there; 2 Revoked.
    "state": "CASE WHEN is_revoked THEN 2 WHEN k %% 10 = 6 AND n + %(holders)s::int <= %(last)s::int THEN 1 ELSE 0 END",
    "application_name": "(%(application_names)s::text[])[1 + k / 10 %% 5]",
    "common_name": "common_name",
    "serial": _SERIAL,
    "issued_at": "at",
    "expires_at": "until",
    "next_notice_at": _NEXT_NOTICE,
}
_REQUEST = {
    "id": "id",
    "number": "'REQ-' || lpad(n::text, 8, '0')",
    "kind": "CASE WHEN k %% 10 = 7 THEN 'renewal' ELSE 'new' END",
    "state": "'signed'",
    "company": "company",
    "officer": "person",
    "application": _ENTRY["application"],
    "environment": _ENTRY["environment"],
    "contact": "address",
    "expiring": _ENTRY["renews"],
    "csr": "%(csr)s",
    "csr_name": "'client.csr'",
    "common_name": "common_name",
    "created_at": "at - interval '10 minutes'",
    "changed_at": "at",
    "submitted_at": "at - interval '1 minute'",
    "ended_at": "at",
    "decided_by": "'automatic review'",
    "entry": "id",
    "certificate_words": f"'KM-' || (%(references_from)s::int + n) || ' ' || common_name || ' ' || {_SERIAL}",
}
_NOTICE = {
    "id": "gen_random_uuid()",
    "event": "'certificate-expires:' || %(source)s::text || ':' || id || ':30:real'",
    "kind": "'connect.certificate-expires'",
    "address": "address",
    "recipient": "person",
    "company": "company",
    "subject": "'checkout-' || n || ' (Sandbox) expires in 30 days, and nothing replaces it'",
    "state": "'sent'",
    "created_at": "until - interval '30 days'",
    "due_at": "until - interval '30 days'",
    "sent_at": "until - interval '30 days'",
    "read_at": "CASE WHEN n %% 8 > 0 THEN until - interval '29 days' END",
    "scope": "place",
    "watched": "%(source)s::text || ':' || id",
    "threshold": "30",
    "company_at": "until - interval '30 days'",
}


def in_projects() -> Sequence[Rows]:
    """A credential of a project, and what belongs to it."""
    from portal.models import Credential

    added = {"environment": _CREDENTIAL["environment"], "method": "'uploaded-csr'", "replaces": "null::text"}
    return [
        *_of_every_certificate(),
        (Credential, _CREDENTIAL, ""),
        _event("credential.added", "credential", "'checkout-' || n", {**added, **_FACTS}, project="place"),
        _event(
            "credential.revoked",
            "credential",
            "'checkout-' || n",
            {"live": "false", "reason": "'Unused or replaced'", "common_name": "common_name", "serial": _SERIAL},
            project="place",
            at=_REVOKED_AT,
            condition="WHERE is_revoked",
        ),
    ]


def in_inventories() -> Sequence[Rows]:
    """An entry of a company's inventory, its request, and what belongs to them."""
    from kmp.models import CertificateRequest, InventoryEntry

    number, reference = _REQUEST["number"], _ENTRY["reference"]
    issued = {"application": _ENTRY["application_name"], "environment": _ENTRY["environment"], "renews": "null::text"}
    return [
        *_of_every_certificate(),
        (InventoryEntry, _ENTRY, ""),
        (CertificateRequest, _REQUEST, ""),
        _event("kmp.request-submitted", "kmp-request", number, {"review": "'automatic'"}, at=_REQUEST["submitted_at"]),
        _event(
            "kmp.certificate-issued", "kmp-certificate", reference, {**issued, **_FACTS}, actor="'automatic review'"
        ),
        _event(
            "kmp.request-signed",
            "kmp-request",
            number,
            {"reference": reference, "decided_by": "'automatic review'", **_FACTS},
            actor="'automatic review'",
        ),
        _event(
            "kmp.certificate-revoked",
            "kmp-certificate",
            reference,
            {"reason": "'Unused or replaced'", "common_name": "common_name", "serial": _SERIAL},
            at=_REVOKED_AT,
            condition="WHERE is_revoked",
        ),
    ]


def models() -> Sequence[type[Model]]:
    """The tables that are filled."""
    return list(dict.fromkeys(model for model, _, _ in (*in_projects(), *in_inventories())))


def _of_every_certificate() -> Sequence[Rows]:
    from certauthority.models import Certificate, CertificateUse, PublicKey
    from connect.models import Notice

    return [
        (Certificate, _CERTIFICATE, ""),
        (PublicKey, _KEY, ""),
        (CertificateUse, _USE, "WHERE k %% 3 = 0"),
        (Notice, _NOTICE | {"channel": "'mail'"}, "WHERE is_soon"),
        (Notice, _NOTICE | {"channel": "'bell'"}, "WHERE is_soon"),
    ]


_FACTS = {
    "common_name": "common_name",
    "serial": _SERIAL,
    "fingerprint": "digest",
    "not_after": "to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"')",
}


def _event(
    action: str,
    kind: str,
    label: str,
    after: Mapping[str, str],
    *,
    project: str = "''",
    actor: str = "address",
    at: str = "at",
    condition: str = "",
) -> Rows:
    from audit.models import AuditEvent

    values = ", ".join(f"'{name}', {value}" for name, value in after.items())
    return (
        AuditEvent,
        {
            "reference": "gen_random_uuid()",
            "at": at,
            "actor": actor,
            "address": "'192.0.2.1'" if actor == "address" else "''",
            "action": f"'{action}'",
            "object_type": f"'{kind}'",
            "object_id": "id",
            "object_label": label,
            "company": "company",
            "project": project,
            "after": f"jsonb_build_object({values})",
        },
        condition,
    )
