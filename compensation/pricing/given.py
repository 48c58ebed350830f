"""What other awards have given already: for the caps, and so that nobody is awarded twice.

Only awards that bind us count, and those of batches that wait for approval, wherever they come
from (batch or goodwill). An award belongs to the period in which its incident began or, without
an incident, in which it was made.
"""

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from compensation.models import Award, Batch
from compensation.models.award import BINDING, BINDS
from compensation.pricing.terms import Terms

_STATES = ", ".join(f"'{state.value}'" for state in BINDING)
# As `BINDS` says it, and what waits for approval.
_COUNTS = f"""(
    a.state IN ({_STATES}) OR a.state = 'reversed' AND a.reversed_minor < a.amount_minor
    OR a.state = 'proposed' AND b.state = 'submitted'
)"""
_NOTHING = {
    "given_subscription": "0::bigint",
    "given_customer": "0::bigint",
    "awarded_credit": "FALSE",
    "awarded_trial": "FALSE",
    "awarded_priority": "FALSE",
}


@dataclass(frozen=True)
class Found:
    """Steps of the statement, joins to the exposures `e`, and the columns these give."""

    steps: dict[str, str] = field(default_factory=dict)
    joins: str = ""
    columns: str = ", ".join(f"{sql} AS {name}" for name, sql in _NOTHING.items())

    @classmethod
    def before(cls, terms: Terms) -> "Found":
        """Looks first whether there is anything: mostly there is not, and then nothing is read."""
        steps, joins, columns = {}, [], dict(_NOTHING)
        given = _others(terms).filter(benefit=Award.Benefit.CREDIT)
        if terms.version.cap_percent is not None and given.exists():
            steps["given_subscription"] = _given(terms, "subscription_id")
            joins.append("LEFT JOIN given_subscription gs ON gs.id = e.id")
            columns["given_subscription"] = "COALESCE(gs.amount, 0)::bigint"
        if terms.version.cap_amounts and given.exists():
            steps["given_customer"] = _given(terms, "customer_id")
            joins.append("LEFT JOIN given_customer gc ON gc.id = e.id")
            columns["given_customer"] = "COALESCE(gc.amount, 0)::bigint"
        if _others(terms).filter(incident=terms.incident, source=Award.Source.BATCH).exists():
            steps["awarded"] = _awarded(terms)
            joins.append(
                "LEFT JOIN awarded w ON w.customer_id = e.customer_id"
                " AND w.subscription_id IS NOT DISTINCT FROM e.subscription_id"
            )
            columns |= {
                f"awarded_{benefit}": f"COALESCE(w.{benefit}, FALSE)"
                for benefit in Award.Benefit.values
            }
        named = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
        return cls(steps=steps, joins=" ".join(joins), columns=named)


def _others(terms: Terms) -> QuerySet[Award]:
    waiting = Q(state="proposed", batch__state=Batch.State.SUBMITTED)
    awards = Award.objects.filter(BINDS | waiting).order_by()
    return awards.exclude(batch=terms.batch_id) if terms.batch_id else awards


def _given(terms: Terms, owner: str) -> str:
    """What each exposure's subscription or customer was given in its period and currency."""
    return f"""
        SELECT e.id, sum(a.amount_minor - a.reversed_minor) AS amount
        FROM exposed e
        JOIN compensation_award a ON a.{owner} = e.{owner} AND a.currency = e.currency
        LEFT JOIN compensation_batch b ON b.id = a.batch_id
        LEFT JOIN incidents_incident i ON i.id = a.incident_id
        WHERE a.benefit = 'credit' AND {_COUNTS} AND {_of_another_batch(terms)}
            AND COALESCE(i.started_at, a.created_at) >= e.period_start
            AND COALESCE(i.started_at, a.created_at) < e.period_end
        GROUP BY e.id
    """


def _awarded(terms: Terms) -> str:
    """Who got which benefit for this incident from another batch."""
    flags = ", ".join(
        f"bool_or(a.benefit = '{benefit}') AS {benefit}" for benefit in Award.Benefit.values
    )
    return f"""
        SELECT a.customer_id, a.subscription_id, {flags}
        FROM compensation_award a LEFT JOIN compensation_batch b ON b.id = a.batch_id
        WHERE a.incident_id = {int(terms.incident.pk)} AND a.source = 'batch' AND {_COUNTS}
            AND {_of_another_batch(terms)}
        GROUP BY a.customer_id, a.subscription_id
    """


def _of_another_batch(terms: Terms) -> str:
    return f"a.batch_id IS DISTINCT FROM {int(terms.batch_id)}" if terms.batch_id else "TRUE"
