"""The rotation report as JSON: its keys are what change tickets rely on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from certauthority.models import Authority, ReasonCode
from portal.models import Credential, Project
from tests.connect.factories import move_clock
from tests.factories import make_credential
from tests.portal.credential_pages import credential_url
from tests.portal.rotation_calls import BATCH, OFFICE, called

SIDE = {
    *("id", "alias", "commonName", "serial", "sha256", "status", "notBefore", "notAfter", "daysLeft", "addedAt"),
    *("endedAt", "endReason", "firstUsedAt", "lastUsedAt", "lastHour", "last90Days"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def old(authorities: dict[str, Authority], project: Project) -> Credential:
    return make_credential(project, alias="old-one")


@pytest.fixture
def new(old: Credential, project: Project) -> Credential:
    return make_credential(project, alias="new-one", predecessor=old)


def document(client: Client, credential: Credential) -> dict[str, Any]:
    answer = client.get(credential_url("rotation_json", credential))
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    found: dict[str, Any] = answer.json()
    return found


def test_the_keys_of_version_1(as_bob: Client, old: Credential, new: Credential) -> None:
    found = document(as_bob, new)
    assert found["version"] == 1
    assert set(found) == {
        *("version", "kind", "writtenAt", "companyTime", "link", "project", "environment", "verdict", "change"),
        *("old", "new", "refusedSinceNewWasAdded", "last24Hours", "sourcesOfOldSinceChange", "sourcesNotSeenWithNew"),
    }
    assert set(found["old"]) == set(found["new"]) == SIDE
    assert set(found["verdict"]) == {"code", "safe", "text", "detail", "safeAt"}
    assert set(found["change"]) == {"kind", "beginsAt", "endsAt", "seconds", "refused", "text"}
    assert found["link"] == f"http://testserver{credential_url('rotation_report', new)}"
    assert found["project"] == {"id": str(old.project_id), "name": "Checkout API"}


def test_its_values_change_with_the_calls(as_bob: Client, old: Credential, new: Credential) -> None:
    before = document(as_bob, old)
    assert before["verdict"]["code"] == "NEITHER_USED"
    assert before["change"]["kind"] == "none"
    assert before["old"]["lastUsedAt"] is None
    now = timezone.now()
    called(old, 300, 100, address=BATCH, now=now)
    called(new, 200, 5, address=OFFICE, now=now)
    called(new, 6, now=now, reason=ReasonCode.WRONG_ENVIRONMENT, address=OFFICE)
    after = document(as_bob, old)
    assert after["verdict"] == {
        "code": "SAFE",
        "safe": True,
        "text": "Safe to revoke the old certificate",
        "detail": after["verdict"]["detail"],
        "safeAt": None,
    }
    assert (after["change"]["kind"], after["change"]["seconds"]) == ("overlap", 6000)
    assert after["new"]["lastHour"] == {"accepted": 1, "refused": 1, "addresses": [OFFICE], "refusedFrom": []}
    assert after["old"]["last90Days"] == {"accepted": 2, "refused": 0}
    assert after["last24Hours"]["new"] == {"accepted": 2, "refused": 1}
    (source,) = after["sourcesOfOldSinceChange"]
    assert (source["address"], source["accepted"], source["hasMoved"]) == (BATCH, 2, False)
    called(old, 1, address=BATCH)
    assert document(as_bob, old)["verdict"]["code"] == "OLD_IN_USE"


def test_times_are_utc_to_the_second(as_bob: Client, old: Credential, new: Credential) -> None:
    called(old, 100)
    called(new, 5)
    found = document(as_bob, new)
    times = [found["writtenAt"], found["companyTime"], found["change"]["beginsAt"], found["change"]["endsAt"]]
    for side in (found["old"], found["new"]):
        times += [side[key] for key in ("notBefore", "notAfter", "addedAt", "firstUsedAt", "lastUsedAt")]
    assert [time for time in times if not TIME.fullmatch(time)] == []
    assert found["new"]["lastUsedAt"] == f"{timezone.now() - timedelta(minutes=5):%Y-%m-%dT%H:%M}{times[-1][16:]}"


def test_it_tells_the_companys_time_beside_real_time(
    as_bob: Client, project: Project, old: Credential, new: Credential
) -> None:
    days_left = document(as_bob, new)["old"]["daysLeft"]
    move_clock(project.company, timedelta(days=10))
    found = document(as_bob, new)
    assert found["old"]["daysLeft"] == days_left - 10
    assert found["companyTime"][:10] == f"{timezone.now() + timedelta(days=10):%Y-%m-%d}"
    assert found["writtenAt"][:10] == f"{timezone.now():%Y-%m-%d}"


def test_without_a_rotation_it_is_the_error_envelope(as_bob: Client, old: Credential) -> None:
    answer = as_bob.get(credential_url("rotation_json", old))
    assert answer.status_code == 404
    (error,) = answer.json()["Errors"]["Error"]
    assert error["ReasonCode"] == "NOT_IN_ROTATION"
    assert set(error) == {"Source", "ReasonCode", "Description", "Recoverable", "Details"}
