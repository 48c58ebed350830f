"""Sending what waits: claimed by one worker, many at once, repeated with growing pauses."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.accounts.models import User
from compensation.authority import person_with
from support.models import WebhookDelivery, WebhookEndpoint
from support.webhooks.endpoints import failed, signatures, succeeded
from support.webhooks.payloads import VERSION
from support.webhooks.posting import GONE, Outcome, post

EACH = 10  # deliveries of one endpoint in one round, so that a slow one holds up no other
AT_ONCE = 8
# A worker that is killed leaves its deliveries to the next one after so long: more than a round
# can last.
LEASE = timedelta(minutes=10)
MOST_ATTEMPTS = 10
FIRST_PAUSE = 10.0  # seconds; four times as long each time: nine pauses make about a day and a half
LONGEST_PAUSE = 12 * 3600.0

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT found.id FROM support_webhookendpoint e CROSS JOIN LATERAL (
        SELECT d.id FROM support_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= %(now)s
        ORDER BY d.next_at, d.id LIMIT %(each)s FOR UPDATE SKIP LOCKED
    ) found
    WHERE e.is_active
)
UPDATE support_webhookdelivery d SET attempts = d.attempts + 1, next_at = %(until)s
FROM due WHERE d.id = due.id
RETURNING d.id
"""


def send_deliveries() -> int:
    """Send what is due, each at least once; how many were tried.

    A delivery is claimed by counting the attempt before the call, so a killed worker costs one
    attempt and no delivery. Arrives twice, if ever, under the same webhook-id.
    """
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "until": now + LEASE, "each": EACH})
        claimed = [row[0] for row in cursor.fetchall()]
    deliveries = list(
        WebhookDelivery.objects.filter(pk__in=claimed)
        .select_related("endpoint", "endpoint__created_by")
        .order_by("pk")
    )
    requests = [_request(delivery) for delivery in deliveries]
    # The threads touch no database: they only wait for others.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda request: post(*request), requests))
    for delivery, outcome in zip(deliveries, outcomes, strict=True):
        _store(delivery, outcome)
    _judge(list(zip(deliveries, outcomes, strict=True)))
    return len(deliveries)


def try_endpoint(endpoint: WebhookEndpoint, *, by: User) -> Outcome:
    """Send a message of type “ping” at once, whether the endpoint is on or off.

    Raises:
        PermissionDenied.
    """
    person_with(by, "support.change_webhookendpoint")
    now = timezone.now()
    said = {"type": "ping", "timestamp": now.isoformat(), "version": VERSION, "data": {}}
    return post(*_message(endpoint, f"ping_{int(now.timestamp())}", said))


def pause(attempts: int, *, luck: float | None = None) -> timedelta:
    """How long to wait after so many attempts; up to a fifth more or less by chance.

    By chance, so that what failed together does not come back together.
    """
    luck = random.uniform(-0.2, 0.2) if luck is None else luck  # noqa: S311 - no secret
    return timedelta(seconds=min(FIRST_PAUSE * 4 ** (attempts - 1), LONGEST_PAUSE) * (1 + luck))


def _request(delivery: WebhookDelivery) -> tuple[str, str, dict[str, str]]:
    return _message(delivery.endpoint, f"msg_{delivery.pk}", delivery.payload)


def _message(
    endpoint: WebhookEndpoint, name: str, payload: dict[str, Any]
) -> tuple[str, str, dict[str, str]]:
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    headers = {"Content-Type": "application/json", "User-Agent": f"Amends-Webhooks/{VERSION}"}
    return endpoint.url, body, headers | signatures(endpoint, name, body)


def _store(delivery: WebhookDelivery, outcome: Outcome) -> None:
    now = timezone.now()
    state = WebhookDelivery.State
    changes: dict[str, Any] = {
        "status_code": outcome.status or None,
        "answer": outcome.answer,
        "error": outcome.error[:500],
    }
    if outcome.is_delivered:
        changes |= {"state": state.DELIVERED, "delivered_at": now}
    elif delivery.attempts >= MOST_ATTEMPTS:
        changes |= {"state": state.FAILED}
    else:
        changes |= {"next_at": now + pause(delivery.attempts)}
    WebhookDelivery.objects.filter(pk=delivery.pk, state=state.WAITING).update(**changes)


@transaction.atomic
def _judge(done: list[tuple[WebhookDelivery, Outcome]]) -> None:
    """Each endpoint by how its deliveries went: one success makes it a working one."""
    by_endpoint: dict[int, list[tuple[WebhookDelivery, Outcome]]] = {}
    for pair in done:
        by_endpoint.setdefault(pair[0].endpoint_id, []).append(pair)
    for pairs in by_endpoint.values():
        endpoint = pairs[0][0].endpoint
        if any(outcome.is_delivered for _delivery, outcome in pairs):
            succeeded(endpoint)
        else:
            is_gone = any(outcome.status == GONE for _delivery, outcome in pairs)
            failed(endpoint, times=len(pairs), is_gone=is_gone)
