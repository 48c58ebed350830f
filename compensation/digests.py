"""What an approver signs: one hash over all that a batch will pay."""

from django.db import connection

from compensation.models import Batch

# A row is everything that decides who gets what, and where it is sent. Text that people could
# choose stands last, so no two different rows read the same. Before approval the destination is
# what the mirror says; approval freezes it on the award.
DESTINATION = """
    CASE
        WHEN award.destination <> '' THEN award.destination
        WHEN award.benefit = 'credit' THEN coalesce(customer.stripe_customer_id, '')
        WHEN award.benefit = 'trial' THEN coalesce(subscription.stripe_subscription_id, '')
        ELSE ''
    END
"""
# Why goodwill is given, hashed to a fixed length; NULL, which concat_ws skips, for other awards.
_WHY = """
    CASE WHEN award.source = 'goodwill' THEN encode(sha256(convert_to(
        jsonb_build_array(award.given_by_id, award.origin, award.reason)::text, 'UTF8'
    )), 'hex') END
"""
_DIGEST = f"""
    SELECT count(*), encode(sha256(
        convert_to(%s, 'UTF8') || coalesce(string_agg(line, ''::bytea ORDER BY id), ''::bytea)
    ), 'hex')
    FROM (
        SELECT award.id, sha256(convert_to(concat_ws(
            '|', award.id, coalesce(award.incident_id::text, ''), award.customer_id,
            coalesce(award.subscription_id::text, ''), award.benefit, award.amount_minor,
            award.days, coalesce(extract(epoch FROM award.trial_end_target)::text, ''),
            award.currency, {DESTINATION}, {_WHY}
        ), 'UTF8')) AS line
        FROM compensation_award award
        JOIN customers_customer customer ON customer.id = award.customer_id
        LEFT JOIN customers_subscription subscription ON subscription.id = award.subscription_id
        WHERE award.batch_id = %s AND award.state <> 'excluded'
    ) lines
"""  # noqa: S608 - no values in it


def batch_digest(batch: Batch) -> str:
    """The SHA-256 (hex) over the batch's header and its ordered awards that are not left out.

    Computed by the database from the rows as they are now. It covers identity, benefit, amount,
    currency, days, the trial's target and the Stripe id it goes to, and for goodwill who asked for
    it and why; not the state, so that it stays the same while awards are issued.
    """
    header = f"batch {batch.pk} incident {batch.incident_id} version {batch.version_id}\n"
    if batch.kind == Batch.Kind.GOODWILL:
        header = f"batch {batch.pk} goodwill\n"
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, [header, batch.pk])
        _count, digest = cursor.fetchone()
    return str(digest)
