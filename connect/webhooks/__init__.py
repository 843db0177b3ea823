"""Other systems are told what people are told: signed messages by HTTP, as docs/webhooks.md describes them.

What stores a notice calls ``queue_event`` or ``queue_events`` in the same transaction. Rows are the truth; a task
delivers them after the commit, and a sweep finds those whose message was lost.
"""

from connect.webhooks.payload import JSON, WebhookEvent, certificate_facts
from connect.webhooks.queueing import queue_event, queue_events, scopes_with_webhooks

__all__ = ["JSON", "WebhookEvent", "certificate_facts", "queue_event", "queue_events", "scopes_with_webhooks"]
