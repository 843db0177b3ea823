"""What testssl.sh finds in nginx's TLS: at the portal, and at both hosts of the endpoint.

What it may find and why that stays is in docs/security.md, below Scans.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.gateway.nginx_front import PORTAL, PRODUCTION, SANDBOX, Front

# A scan makes some hundred handshakes.
GUARD_SECONDS = 600
HOSTS = (PORTAL, SANDBOX, PRODUCTION)
CHECKS = ("--protocols", "--std", "--server-preference", "--fs", "--vulnerable")
PROBLEMS = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "FATAL")
OFFERED = ("TLS1_2", "TLS1_3", "cipherlist_STRONG")
REFUSED = ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "cipherlist_NULL", "cipherlist_aNULL", "cipherlist_EXPORT")
ATTACKS = (
    *("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_client_renego", "CRIME_TLS", "BREACH", "POODLE_SSL"),
    *("fallback_SCSV", "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4"),
)


def scan(front: Front, host: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Each finding by its name."""
    program = shutil.which("testssl") or shutil.which("testssl.sh")
    assert program, "testssl.sh is missing: apt-get install testssl.sh"
    found = folder / f"{host}.json"
    command = [
        *(program, "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", "127.0.0.1"),
        *("--jsonfile", str(found), *CHECKS, f"{host}:{front.https}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GUARD_SECONDS, check=False)
    assert found.exists(), done.stdout + done.stderr
    return {one["id"]: one for one in json.loads(found.read_text())}


def test_testssl_finds_nothing_wrong_at_any_host(front: Front, tmp_path: Path) -> None:
    """At all of them at once: most of a scan is waiting."""
    with ThreadPoolExecutor(len(HOSTS)) as pool:
        scans = dict(zip(HOSTS, pool.map(lambda host: scan(front, host, tmp_path), HOSTS), strict=True))
    for host, found in scans.items():
        check(host, found)


def check(host: str, found: dict[str, dict[str, Any]]) -> None:
    wrong = {name: one["finding"] for name, one in found.items() if one["severity"] in PROBLEMS}
    # The client chooses among suites that are all good (docs/security.md says why).
    assert {name for name in wrong if not name.startswith("cipher_order")} == set(), (host, wrong)
    assert {name for name in OFFERED if not found[name]["finding"].startswith("offered")} == set(), host
    assert {name for name in REFUSED if not found[name]["finding"].startswith("not offered")} == set(), host
    assert {name: found[name]["severity"] for name in ATTACKS} == dict.fromkeys(ATTACKS, "OK"), host
