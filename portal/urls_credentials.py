"""Addresses of a project's credentials, and of the CSR clinic. ``portal.urls`` includes them."""

from __future__ import annotations

from django.urls import path

import portal.converters  # noqa: F401  registers <environment:…>
from portal.views import (
    add_certificate,
    clinic,
    credential,
    credentials,
    generate_key,
    guided_rotation,
    propagation,
    revoke,
    rotation_report,
    snooze,
    use,
)

_PLACE = "projects/<uuid:project_id>/<environment:environment>/"
_CREDENTIAL = f"{_PLACE}<uuid:credential_id>/"

urlpatterns = [
    path(_PLACE, credentials.credentials, name="credentials"),
    path(f"{_PLACE}add/", add_certificate.choose, name="add_certificate"),
    path(f"{_PLACE}add/generate/", generate_key.generate_key, name="generate_key"),
    path(f"{_PLACE}add/upload-csr/", add_certificate.upload_csr, name="upload_csr"),
    path(f"{_PLACE}add/paste-csr/", add_certificate.paste_csr, name="paste_csr"),
    path(f"{_PLACE}add/upload-certificate/", add_certificate.upload_certificate, name="upload_certificate"),
    path(f"{_PLACE}add/check/", add_certificate.check_csr, name="check_csr"),
    path(f"{_PLACE}add/check-certificate/", add_certificate.check_certificate, name="check_certificate"),
    path(_CREDENTIAL, credential.credential, name="credential"),
    path(f"{_CREDENTIAL}calls/", use.credential_calls, name="credential_calls"),
    path(f"{_CREDENTIAL}download/<slug:format_name>/", credential.download, name="credential_download"),
    path(f"{_CREDENTIAL}propagation/", propagation.credential_propagation, name="credential_propagation"),
    path(f"{_CREDENTIAL}keystore-saved/", generate_key.keystore_saved, name="keystore_saved"),
    path(f"{_CREDENTIAL}revoke/", revoke.revoke, name="credential_revoke"),
    path(f"{_CREDENTIAL}rotation/", rotation_report.rotation_report, name="rotation_report"),
    path(f"{_CREDENTIAL}rotation.json", rotation_report.rotation_json, name="rotation_json"),
    path(f"{_CREDENTIAL}rotation/guide/", guided_rotation.guide, name="guide"),
    path("projects/<uuid:project_id>/rotations/", guided_rotation.guides, name="guides"),
    path(f"{_CREDENTIAL}snooze/", snooze.snooze, name="credential_snooze"),
    path("clinic/", clinic.clinic, name="clinic"),
]
