"""Our own desk's tickets, copied into django-helpdesk's tables: the same rows on both sides.

As its mail door does, the first message becomes the ticket's description, and every message a
followup. Its list shows open and reopened tickets, ours new and open ones: those are the same
share; what waits for the customer is "resolved" there, so that its list is no longer than ours.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

TICKETS = """
SELECT t.id, t.subject, t.queue_id, t.created_at, t.updated_at, t.requester_address, t.assignee_id,
    CASE WHEN t.status IN ('new', 'open') THEN CASE WHEN t.reopened > 0 THEN 2 ELSE 1 END
         WHEN t.status = 'closed' THEN 4 ELSE 3 END,
    false, m.text, t.band, t.due_at, gen_random_uuid()::text
FROM support_ticket t
CROSS JOIN LATERAL (SELECT text FROM support_message
                    WHERE ticket_id = t.id ORDER BY id LIMIT 1) AS m
"""
INTO_TICKETS = """
helpdesk_ticket (id, title, queue_id, created, modified, submitter_email, assigned_to_id, status,
    on_hold, description, priority, due_date, secret_key)
"""
MESSAGES = """
SELECT m.id, m.ticket_id, m.created_at, 'E-Mail Received from ' || t.requester_address, m.text,
    true, CASE WHEN m.direction = 'out' THEN t.assignee_id END
FROM support_message m JOIN support_ticket t ON t.id = m.ticket_id
"""
INTO_FOLLOWUPS = "helpdesk_followup (id, ticket_id, date, title, comment, public, user_id)"


def copy_tickets(ours: BaseDatabaseWrapper, theirs: BaseDatabaseWrapper) -> None:
    for rows, table in ((TICKETS, INTO_TICKETS), (MESSAGES, INTO_FOLLOWUPS)):
        with (
            ours.cursor() as source,
            theirs.cursor() as target,
            source.copy(f"COPY ({rows}) TO STDOUT") as out,
            target.copy(f"COPY {table} FROM STDIN") as into,
        ):
            for block in out:
                into.write(block)
    with theirs.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
