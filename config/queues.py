"""Which tasks sign, and which worker takes them: only one that has the CA's keys.

Every other task waits in Celery's own queue, which every worker takes.
"""

from __future__ import annotations

from kombu import Exchange, Queue

ANYBODY = "celery"
SIGNING = "signing"

# Each task that may sign with a key of a CA or of an OCSP responder, or that makes such a key.
SIGNING_TASKS = (
    "certauthority.tasks.certify_endpoint",
    "certauthority.tasks.make_ocsp_response",
    "certauthority.tasks.make_ocsp_responses",
    "certauthority.tasks.make_ocsp_responses_of",
    "certauthority.tasks.publish_revocation_list",
    "certauthority.tasks.publish_revocation_lists",
    "certauthority.tasks.sweep_revocations",
    "certauthority.tasks.tend_ocsp",
    "kmp.tasks.process_request",
    "kmp.tasks.sweep_requests",
)
ROUTES = {name: {"queue": SIGNING} for name in SIGNING_TASKS}


def taken(*, signs: bool) -> tuple[Queue, ...]:
    """The queues that a worker takes from unless it is told otherwise.

    They are what Celery would make of their names: whoever does not sign sends to a queue that it does not know.
    """
    names = (ANYBODY, SIGNING) if signs else (ANYBODY,)
    return tuple(Queue(name, Exchange(name), routing_key=name) for name in names)
