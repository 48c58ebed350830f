"""What an approver of a reversal signs."""

from django.db import connection

from compensation.models import ReversalRequest

_DIGEST = """
    SELECT encode(sha256(
        convert_to(%s, 'UTF8') || coalesce(string_agg(line, ''::bytea ORDER BY id), ''::bytea)
    ), 'hex')
    FROM (
        SELECT reversal.id, sha256(convert_to(concat_ws(
            '|', reversal.id, reversal.award_id, reversal.customer_id, reversal.limit_minor,
            reversal.currency, award.benefit, award.destination, nullif(reversal.corrects, '')
        ), 'UTF8')) AS line
        FROM compensation_reversal reversal
        JOIN compensation_award award ON award.id = reversal.award_id
        WHERE reversal.request_id = %s
    ) lines
"""


def request_digest(request: ReversalRequest) -> str:
    """The SHA-256 (hex) over the request's header and its ordered reversals.

    It covers which award, the most that may be taken, and where it is taken at Stripe; not the
    state, so that it stays the same while awards are taken back.
    """
    header = (
        f"reversal {request.pk} batch {request.batch_id} award {request.award_id} "
        f"cause {request.cause}\n"
    )
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, [header, request.pk])
        (digest,) = cursor.fetchone()
    return str(digest)
