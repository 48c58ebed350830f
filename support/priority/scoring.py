"""The score: one SQL statement over any set of tickets, stored with the parts it was made from."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from backoffice.bulk import update_rows
from support.models import PrioritySetting, Ticket
from support.models.ticket import UNSOLVED
from support.priority.weights import PARTS
from support.priority.words import sentiments

SLICE = 2000

# Each part as a share (0 to 1) of its weight; `t` is the ticket.
_SHARES = """
    SELECT t.id, t.band, t.score, t.band_floor,
        COALESCE(fee.plan_share, 0) AS plan,
        CASE WHEN entitled.yes THEN 1 ELSE 0 END AS priority_support,
        CASE i.severity WHEN 'critical' THEN 1 WHEN 'major' THEN 0.75 WHEN 'minor' THEN 0.4
            ELSE 0 END AS incident,
        CASE WHEN t.unanswered_since IS NULL THEN 0 ELSE LEAST(1, GREATEST(0,
            EXTRACT(EPOCH FROM %(now)s - t.unanswered_since) / %(waiting_full)s)) END AS waiting,
        LEAST(1, t.breaches / 2.0) AS breaches,
        GREATEST(0, -t.sentiment) / 100.0 AS sentiment,
        LEAST(1, COALESCE(fee.monthly, 0) / %(value_full)s) AS value
    FROM support_ticket t
    LEFT JOIN incidents_incident i ON i.id = t.incident_id
    LEFT JOIN LATERAL (
        SELECT max(COALESCE((%(plans)s::jsonb ->> s.plan)::numeric,
                (%(plans)s::jsonb ->> ('segment:' || c.segment))::numeric, 0)) / 100 AS plan_share,
            sum(s.fee_minor::numeric / s.interval_months) AS monthly
        FROM customers_subscription s JOIN customers_customer c ON c.id = s.customer_id
        WHERE s.customer_id = t.customer_id
            AND s.status NOT IN ('canceled', 'incomplete', 'incomplete_expired')
    ) fee ON TRUE
    LEFT JOIN LATERAL (
        SELECT TRUE AS yes FROM compensation_award a
        WHERE a.customer_id = t.customer_id AND a.benefit = 'priority' AND a.state = 'issued'
            AND a.priority_until > %(now)s
        LIMIT 1
    ) entitled ON TRUE
    WHERE t.id = ANY(%(ids)s)
"""
_WEIGHED = ", ".join(f"round({part} * %({part})s)::int AS {part}" for part in PARTS)
_TOTAL = f"LEAST(100, {' + '.join(PARTS)})"
_SCORED = f"""
    WITH shares AS ({_SHARES}),
    parts AS (SELECT id, band AS old_band, score AS old_score, band_floor, {_WEIGHED} FROM shares),
    scored AS (SELECT *, {_TOTAL} AS new_score FROM parts)
    SELECT id, old_band, old_score, new_score,
        GREATEST(COALESCE(band_floor, 1), CASE WHEN new_score >= %(urgent_from)s THEN 4
            WHEN new_score >= %(high_from)s THEN 3
            WHEN new_score >= %(normal_from)s THEN 2 ELSE 1 END) AS new_band,
        jsonb_build_object({", ".join(f"'{part}', {part}" for part in PARTS)}) AS parts
    FROM scored
"""
_STORE = f"""
    UPDATE support_ticket t
    SET score = new.new_score, band = new.new_band,
        score_parts = new.parts || jsonb_build_object('words', t.score_parts -> 'words')
    FROM ({_SCORED}) new
    WHERE t.id = new.id
        AND (t.score, t.band, t.score_parts - 'words')
            IS DISTINCT FROM (new.new_score::smallint, new.new_band::smallint, new.parts)
"""


def refresh_scores(ticket_ids: Iterable[int]) -> int:
    """Read the customers' words again and store score, band and parts; how many changed.

    Seven queries at most, whatever the number of tickets.
    """
    ids = sorted(set(ticket_ids))
    if not ids:
        return 0
    _store_sentiments(ids)
    return _store_scores(ids)


def refresh_waiting() -> int:
    """Store the scores of all tickets that somebody waits in: time alone raises them."""
    last, changed = 0, 0
    while ids := list(
        Ticket.objects.filter(status__in=UNSOLVED, pk__gt=last)
        .order_by("pk")
        .values_list("pk", flat=True)[:SLICE]
    ):
        changed += _store_scores(ids)
        last = ids[-1]
    return changed


def compute_scores(
    ticket_ids: Iterable[int], setting: PrioritySetting
) -> dict[int, tuple[int, int, dict[str, int]]]:
    """Score, band and parts under `setting`, by ticket, without storing them: the preview."""
    with connection.cursor() as cursor:
        cursor.execute(_SCORED, _terms(setting, sorted(set(ticket_ids))))
        return {
            row[0]: (row[3], row[4], json.loads(row[5]) if isinstance(row[5], str) else row[5])
            for row in cursor.fetchall()
        }


def _store_scores(ids: list[int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_STORE, _terms(PrioritySetting.objects.get(), ids))
        return int(cursor.rowcount)


def _terms(setting: PrioritySetting, ids: list[int]) -> dict[str, Any]:

    return {
        "now": timezone.now(),
        "ids": ids,
        "waiting_full": max(1, setting.waiting_full_minutes) * 60,
        "value_full": max(1, setting.value_full_minor),
        "plans": json.dumps(setting.plan_values),
        "high_from": setting.high_from,
        "urgent_from": setting.urgent_from,
        "normal_from": setting.normal_from,
        **{part: getattr(setting, part) for part in PARTS},
    }


@transaction.atomic
def _store_sentiments(ids: list[int]) -> None:
    tickets = Ticket.objects.in_bulk(ids)
    moods = sentiments({pk: ticket.language for pk, ticket in tickets.items()})
    changed = []
    for pk, (points, words) in moods.items():
        ticket = tickets[pk]
        if ticket.sentiment != points or ticket.score_parts.get("words") != words:
            ticket.sentiment = points
            ticket.score_parts = ticket.score_parts | {"words": words}
            changed.append(ticket)
    update_rows(changed, ["sentiment", "score_parts"])
