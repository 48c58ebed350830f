"""A full desk, written set by set: customers, tickets with messages, queues, agents."""

from typing import Any

from django.core.cache import cache
from django.db import connection

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from incidents.models import Incident
from support.models import Queue, SavedView
from tests.accounts.factories import staff

TICKETS = 1_000_000
# Of a hundred tickets 20 are new or open, 10 wait, 70 are over; of a million.
FREQUENT, RARE = "internet", "zebrafish"

CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, created_at, updated_at)
SELECT 'C-' || n, (ARRAY['Acme', 'Nordwind', 'Blaue Welle', 'Север'])[1 + n %% 4] || ' ' || n
           || (ARRAY[' GmbH', ' Ltd', ' AG', ''])[1 + n / 4 %% 4],
       'c' || n || '@example.com', (ARRAY['en', 'de', 'ru'])[1 + n %% 3], 'DE', '', 'UTC', 'EUR',
       now(), now()
FROM generate_series(1, %(customers)s) AS n
"""
SUBSCRIPTIONS_SQL = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at, updated_at)
SELECT 'S-' || id, id, (ARRAY['Business', 'Consumer', 'Consumer'])[1 + id %% 3], 4990, 'EUR', 1,
       'active', '', timestamptz '2024-01-01Z', now()
FROM customers_customer
"""
# `r` spreads what would otherwise march in step with the number.
TICKETS_SQL = """
INSERT INTO support_ticket (subject, status, channel, language, queue_id, assignee_id, customer_id,
    requester_name, requester_address, tags, incident_id, score, band, score_parts, sentiment,
    due_at, breaches, unanswered_since, last_message_at, reopened, messages_count, created_at,
    updated_at)
SELECT (ARRAY['No internet since ', 'Kein Internet seit ', 'Нет интернета с ', 'Router blinks ',
              'Rechnung falsch ', 'Where is my credit '])[1 + r %% 6] || n,
    CASE WHEN r %% 100 < 8 THEN 'new' WHEN r %% 100 < 20 THEN 'open'
         WHEN r %% 100 < 27 THEN 'waiting' WHEN r %% 100 < 30 THEN 'on_hold'
         WHEN r %% 100 < 50 THEN 'solved' ELSE 'closed' END,
    (ARRAY['email', 'email', 'web', 'api', 'whatsapp'])[1 + r %% 5],
    (ARRAY['en', 'de', 'ru'])[1 + r %% 3],
    (%(queues)s::bigint[])[1 + (r / 7) %% %(queue_count)s],
    CASE WHEN r %% 100 BETWEEN 8 AND 49 AND r %% 3 > 0
         THEN (%(agents)s::bigint[])[1 + (r / 11) %% %(agent_count)s] END,
    1 + r %% %(customers)s, 'Person ' || r %% 1000, 'c' || 1 + r %% %(customers)s || '@example.com',
    CASE r %% 10 WHEN 0 THEN ARRAY['vip'] WHEN 1 THEN ARRAY['router', 'fibre']
         ELSE '{}'::varchar[] END,
    CASE WHEN r %% 40 = 8 THEN %(incident)s END,
    r %% 101, 1 + (n / 7) %% 4,
    jsonb_build_object('plan', r %% 21, 'waiting', r %% 16, 'incident', r %% 17, 'words', '[]'),
    0, CASE WHEN r %% 100 < 20 AND r %% 7 > 0
            THEN now() + (r %% 4320 - 60) * interval '1 minute' END,
    r %% 3 / 2, CASE WHEN r %% 100 < 20 THEN now() - (r %% 2000) * interval '1 minute' END,
    now() - (r %% 2000) * interval '1 minute', 0, 1 + (n %% 5) / 4 * 2,
    now() - (%(tickets)s - n) * interval '30 seconds', now()
FROM (SELECT n, (n * 48271 %% 2147483647)::int AS r
      FROM generate_series(1, %(tickets)s::bigint) AS n) AS numbers
"""
# Every fifth ticket has three messages, the others one.
MESSAGES_SQL = """
INSERT INTO support_message (ticket_id, kind, direction, channel, author_name, author_address, "to",
    cc, subject, text, html, language, is_automatic, unreadable, message_id, in_reply_to, delivery,
    attempts, delivery_error, then_status, created_at)
SELECT t.id, 'public', 'in', t.channel, t.requester_name, t.requester_address, '{}', '{}',
    t.subject,
    (CASE t.language
        WHEN 'de' THEN 'Guten Tag, seit heute Mittag geht bei uns nichts mehr, bitte helfen Sie. '
        WHEN 'ru' THEN 'Здравствуйте, с полудня у нас ничего не работает, помогите пожалуйста. '
        ELSE 'Hello, nothing has been working here since noon, please help us soon. '
     END)
    || CASE WHEN (t.id + step) %% 3 = 0 THEN 'The internet is down and the router blinks red. '
            ELSE 'Order ' || t.id * 7 || ' and invoice ' || t.id %% 9973 || '. ' END
    || CASE WHEN (t.id * 3 + step) %% 100003 = 0 THEN 'A zebrafish was harmed. ' ELSE '' END,
    '', t.language, false, '', '', '', 'none', 0, '', '', t.created_at
FROM support_ticket t CROSS JOIN generate_series(1, 3) AS step
WHERE step = 1 OR t.messages_count > 1
"""


def make_desk(tickets: int) -> dict[str, Any]:
    """The desk with `tickets` tickets; the lead and an agent of it, the incident, the queues."""
    queues = [Queue.objects.create(name=f"Queue {n}", slug=f"queue-{n}") for n in range(8)]
    agents = [staff(Role.SUPPORT_AGENT) for _n in range(40)]
    for n, person in enumerate(agents):
        person.queues.add(queues[n % 8], queues[(n + 3) % 8])
    incident = Incident.objects.create(
        number="INC-2026-014", title="Fibre outage", started_at="2026-10-14T08:00Z",
        state="identified",
    )  # fmt: skip
    names = {
        "tickets": tickets,
        "customers": max(tickets // 5, 100),
        "queues": [queue.pk for queue in queues],
        "queue_count": len(queues),
        "agents": [person.pk for person in agents],
        "agent_count": len(agents),
        "incident": incident.pk,
    }
    _write(names)
    lead: User = staff(Role.SUPPORT_LEAD)
    for person in (lead, agents[0]):
        for n, query in enumerate(["tag=vip", "band=4&language=de", "incident=INC-2026-014"]):
            SavedView.objects.create(owner=person, name=f"View {n}", query=query)
    cache.clear()
    return {"lead": lead, "agent": agents[0], "incident": incident, "queues": queues}


def _write(names: dict[str, Any]) -> None:
    """Search indexes are made after the rows, as anybody would who loads a million."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE indexname IN ('ticket_words', 'ticket_tags', 'message_words')"
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f"DROP INDEX {name}")
        for statement in (CUSTOMERS_SQL, SUBSCRIPTIONS_SQL, TICKETS_SQL, MESSAGES_SQL):
            cursor.execute(statement, names)
        cursor.execute("SET maintenance_work_mem = '256MB'")
        for _name, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
