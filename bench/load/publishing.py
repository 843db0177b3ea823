"""Publish one CRL and say what that took: `python -m bench.load.publishing AUTHORITY SHARD`, in the site's environment.

A process of its own, whose memory no other work has used: its largest resident set is what publishing needs.
"""
# ruff: noqa: PLC0415  Django is set up before its models can be imported.

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

KIB_PER_MIB = 1024


@dataclass(frozen=True, slots=True)
class Published:
    """``seconds`` go from the rows to the stored DER, and ``cpu_seconds`` are those of this process among them.

    ``mib`` is the largest resident set of the whole process, ``mib_before`` what it was when nothing was read yet.
    """

    entries: int
    octets: int
    seconds: float
    cpu_seconds: float
    mib: float
    mib_before: float


def published(authority: str, shard: int = 0) -> Published:
    """Publish in a new process that has the environment of this one."""
    command = [sys.executable, "-m", "bench.load.publishing", authority, str(shard)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Published(**json.loads(done.stdout))


def main(authority: str, shard: str) -> None:
    """Write what it took to standard output, as JSON."""
    import django

    django.setup()
    from django.db import connection
    from django.utils import timezone

    from certauthority import profiles, revocation_lists, signers
    from certauthority.models import Authority

    row = Authority.objects.select_related("certificate").get(name=authority)
    # Once in a process, and no part of a publication: the CA's key, and the addresses of the site with all its views.
    signers.signer_of(row)
    profiles.crl_url(row)
    connection.ensure_connection()
    before, begin, cpu_begin = _mib(), time.perf_counter(), time.process_time()
    crl = revocation_lists.publish(row, shard=int(shard), now=timezone.now())
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    if crl is None:
        raise RuntimeError("Nothing was published.")
    found = Published(crl.entries, len(crl.der), seconds, cpu_seconds, _mib(), before)
    print(json.dumps(asdict(found)))


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_PER_MIB


if __name__ == "__main__":
    main(*sys.argv[1:])
