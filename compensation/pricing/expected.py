"""What an incident would give one customer if it ended now, priced like a batch but not written."""

from django.db import connection
from django.utils import timezone

from backoffice.customers.models import Customer
from compensation.models import Award, PolicyVersion
from compensation.pricing.liability import running_until
from compensation.pricing.statement import exclusion, priced
from compensation.pricing.terms import Terms
from incidents.models import Incident

_TRIALS = "m.status IN ('trialing', 'active', 'canceled')"


def expected(customer: Customer, incident: Incident, version: PolicyVersion) -> list[Award]:
    """The awards of a batch under `version`, for this customer alone; none of them is saved.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    grows = incident.profiles.exclude(running_impact="").exists()
    as_of, running = running_until(incident, timezone.now(), grows=grows)
    terms = Terms.of(version, incident, as_of, running_seconds=running, customer_id=customer.pk)
    if terms.owes_nothing:
        return []
    clause = priced(terms)
    with connection.cursor() as cursor:
        cursor.execute(clause.sql + _awards(terms), clause.params)
        return [
            Award(
                incident=incident,
                customer=customer,
                subscription_id=subscription,
                benefit=benefit,
                amount_minor=amount_minor,
                currency=currency,
                days=days,
            )
            for benefit, subscription, amount_minor, currency, days in cursor.fetchall()
        ]


def _awards(terms: Terms) -> str:
    return f"""
        SELECT 'credit', m.subscription_id, m.amount_minor, m.currency, 0
        FROM credits m WHERE m.exclusion = ''
        UNION ALL
        SELECT 'trial', m.subscription_id, 0, '', m.trial_days FROM matched m
        WHERE m.trial_days > 0 AND {_TRIALS} AND ({exclusion("trial", terms)}) = ''
        UNION ALL
        SELECT 'priority', m.subscription_id, 0, '', m.priority_days FROM matched m
        WHERE m.priority_days > 0 AND ({exclusion("priority", terms)}) = ''
    """
