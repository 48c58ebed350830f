"""An agent takes the next ticket: the most urgent that they can work on and nobody has."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models.customer import Language
from compensation.authority import person_with
from support.models import Agent, Ticket

_ORDER = "ORDER BY t.band DESC, t.due_at ASC NULLS LAST, t.id"
# What the caller gets of the ticket; the rest is read when somebody asks for it.
_FIELDS = [
    field.attname
    for field in Ticket._meta.concrete_fields
    if field.name not in {"search", "score_parts"}
]
# Everything in one statement, so that it costs one round trip and a taken ticket is never without
# its lines in the timeline.
#
# `lane`: each queue and language is a stretch of the index `ticket_next`, in the order of work;
# what others have, or cannot be had, is never read. `front` are the lanes whose first ticket is the
# most urgent, `best` the first 20 of these: more than there are agents who take in the same
# millisecond, each of whom locks one and passes over those that others have locked.
_TAKE = f"""
WITH me AS MATERIALIZED (
    SELECT u.id, COALESCE(a.languages, '{{}}') AS languages, COALESCE(a.skills, '{{}}') AS skills,
        u.is_superuser OR held.see_all AS sees_all
    FROM accounts_user u
    LEFT JOIN support_agent a ON a.user_id = u.id
    CROSS JOIN LATERAL (
        SELECT bool_or(p.codename = 'answer_ticket') AS answer,
            bool_or(p.codename = 'see_all_queues') AS see_all
        FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id
        CROSS JOIN LATERAL (
            SELECT 1 FROM accounts_user_user_permissions own
            WHERE own.user_id = u.id AND own.permission_id = p.id
            UNION ALL
            SELECT 1 FROM accounts_user_groups m JOIN auth_group_permissions g
                ON g.group_id = m.group_id AND g.permission_id = p.id
            WHERE m.user_id = u.id
            LIMIT 1
        ) given
        WHERE c.app_label = 'support' AND c.model IN ('ticket', 'queue')
            AND p.codename IN ('answer_ticket', 'see_all_queues')
    ) held
    WHERE u.id = %(by)s::bigint AND u.is_active AND u.is_staff AND (u.is_superuser OR held.answer)
        AND (a.away_from IS NULL OR a.away_from > %(now)s::timestamptz
            OR a.away_until <= %(now)s::timestamptz)
), lane AS MATERIALIZED (
    SELECT q.id AS queue_id, language
    FROM me CROSS JOIN support_queue q CROSS JOIN unnest(
        CASE WHEN me.languages = '{{}}' THEN %(languages)s::varchar[] ELSE me.languages END
    ) AS language
    WHERE q.is_active AND q.skills <@ me.skills AND (
        me.sees_all
        OR EXISTS (SELECT FROM support_queue_members m
            WHERE m.queue_id = q.id AND m.user_id = me.id)
        OR NOT EXISTS (SELECT FROM support_queue_members m WHERE m.queue_id = q.id))
), front AS MATERIALIZED (
    SELECT lane.* FROM lane CROSS JOIN LATERAL (
        SELECT t.id, t.band, t.due_at FROM support_ticket t
        WHERE t.queue_id = lane.queue_id AND t.language = lane.language
            AND t.assignee_id IS NULL AND t.status IN ('new', 'open')
        {_ORDER} LIMIT 1
    ) t
    {_ORDER} LIMIT 3
), best AS MATERIALIZED (
    SELECT t.* FROM front CROSS JOIN LATERAL (
        SELECT t.id, t.band, t.due_at FROM support_ticket t
        WHERE t.queue_id = front.queue_id AND t.language = front.language
            AND t.assignee_id IS NULL AND t.status IN ('new', 'open')
        {_ORDER} LIMIT 20
    ) t
    {_ORDER} LIMIT 20
), picked AS MATERIALIZED (
    SELECT t.id, t.status FROM best JOIN support_ticket t ON t.id = best.id
    WHERE t.assignee_id IS NULL AND t.status IN ('new', 'open')
    ORDER BY best.band DESC, best.due_at ASC NULLS LAST, best.id LIMIT 1
    FOR UPDATE OF t SKIP LOCKED
), told AS (
    INSERT INTO support_ticketevent (ticket_id, kind, data, by_id, reason, at, depth, error)
    SELECT picked.id, line.kind, line.data, %(by)s::bigint, line.reason, %(now)s::timestamptz, 0, ''
    FROM picked CROSS JOIN (VALUES
        ('assigned', jsonb_build_object('from', NULL, 'to', %(by)s::bigint), 'next', TRUE),
        ('status', '{{"from": "new", "to": "open"}}'::jsonb, 'assigned', FALSE)
    ) AS line (kind, data, reason, always)
    WHERE line.always OR picked.status = 'new'
)
UPDATE support_ticket t SET assignee_id = %(by)s::bigint, status = 'open',
    assigned_at = %(now)s::timestamptz, updated_at = %(now)s::timestamptz
FROM picked WHERE t.id = picked.id
RETURNING {", ".join(f"t.{name}" for name in _FIELDS)}
"""


def take_next(by: User) -> Ticket | None:
    """Give `by` the next ticket of their queues, languages and skills, in the order of work.

    None: there is none left for them. Two never get the same one. A new ticket becomes open. How
    much they have already does not matter: the capacity bounds what is given, not what is taken.

    Raises:
        PermissionDenied: `by` may not answer tickets.
        ValidationError: `by` is away.
    """
    taken = _taken(by)
    if taken is None:
        _explain(by)
        # Perhaps the first ones were all snatched away meanwhile.
        taken = _taken(by)
    # Nobody is woken: what follows from it can wait for the next round of processing.
    return taken


def _taken(by: User) -> Ticket | None:
    terms = {"by": by.pk, "now": timezone.now(), "languages": Language.values}
    with _kept_plans() as cursor:
        row = cursor.execute(_TAKE, terms, prepare=True).fetchone()
    return Ticket.from_db(connection.alias, _FIELDS, row) if row else None


@contextmanager
def _kept_plans() -> Iterator[psycopg.Cursor[Any]]:
    """A cursor whose statements the server plans once: that costs more than to run them.

    Not where a pooler stands between; Django is told so by the setting for cursors on the server.
    """
    connection.ensure_connection()
    raw: Any = connection.connection
    keeps = not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    threshold, raw.prepare_threshold = raw.prepare_threshold, 0 if keeps else None
    try:
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            yield cursor
    finally:
        raw.prepare_threshold = threshold


def _explain(by: User) -> None:
    person = person_with(by, "support.answer_ticket")
    agent = Agent.objects.filter(user=person).first()
    if agent and agent.is_away(timezone.now()):
        raise ValidationError(
            _("You are marked as away: end your absence first, then take tickets.")
        )
