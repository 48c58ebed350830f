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
# What they look at, and what it is where nothing was given.
_NOTHING = {
    "given_subscription": "0::bigint",
    "given_customer": "0::bigint",
    "given_of_period": "0::bigint",
    "days_given": "0::bigint",
    "days_of_period": "0::bigint",
    "awarded_credit": "FALSE",
    "awarded_trial": "FALSE",
    "awarded_priority": "FALSE",
}


@dataclass(frozen=True)
class Found:
    """Steps of the statement, joins to the matched exposures `m`, and the columns these give."""

    steps: dict[str, str] = field(default_factory=dict)
    joins: str = ""
    sql: dict[str, str] = field(default_factory=lambda: dict(_NOTHING))

    @property
    def columns(self) -> str:
        """All of them, named."""
        return ", ".join(f"{sql} AS {name}" for name, sql in self.sql.items())

    @classmethod
    def before(cls, terms: Terms) -> "Found":
        """Looks first whether there is anything: mostly there is not, and then nothing is read."""
        steps, joins, columns = {}, [], dict(_NOTHING)
        wanted = {owner: sums for owner, sums in _wanted(terms).items() if sums}
        given = _others(terms).exclude(benefit=Award.Benefit.PRIORITY)
        if wanted and given.exists():
            for owner, sums in wanted.items():
                steps[f"given_to_{owner}"] = _given(terms, owner, sums)
                joins.append(f"LEFT JOIN given_to_{owner} g{owner} ON g{owner}.id = m.id")
                columns |= {name: f"COALESCE(g{owner}.{name}, 0)::bigint" for name in sums}
        own = _others(terms).filter(incident=terms.incident, source=Award.Source.BATCH)
        if not terms.ignores_own_awards and own.exists():
            steps["awarded"] = _awarded(terms)
            joins.append(
                "LEFT JOIN awarded w ON w.customer_id = m.customer_id"
                " AND w.subscription_id IS NOT DISTINCT FROM m.subscription_id"
            )
            columns |= {
                f"awarded_{benefit}": f"COALESCE(w.{benefit}, FALSE)"
                for benefit in Award.Benefit.values
            }
        return cls(steps=steps, joins=" ".join(joins), sql=columns)


def _others(terms: Terms) -> QuerySet[Award]:
    waiting = Q(state="proposed", batch__state=Batch.State.SUBMITTED)
    awards = Award.objects.filter(BINDS | waiting).order_by()
    return awards.exclude(batch=terms.batch_id) if terms.batch_id else awards


_KEPT = "a.amount_minor - a.reversed_minor"
_DAYS = "CASE WHEN a.state = 'reversed' THEN 0 ELSE a.days END"
_OF_BATCHES = "a.source = 'batch'"


def _wanted(terms: Terms) -> dict[str, dict[str, str]]:
    """The sums that these terms look at, by whom they were given to."""
    subscription = {}
    if terms.version.cap_percent is not None:
        subscription["given_subscription"] = _sum(_KEPT, "credit")
    if terms.version.cap_days is not None:
        subscription["days_given"] = _sum(_DAYS, "trial")
    if terms.prices_period:
        subscription["given_of_period"] = _sum(_KEPT, "credit", _OF_BATCHES)
        subscription["days_of_period"] = _sum(_DAYS, "trial", _OF_BATCHES)
    customer = {}
    if terms.version.cap_amounts:
        customer["given_customer"] = _sum(_KEPT, "credit")
    return {"subscription": subscription, "customer": customer}


def _sum(what: str, benefit: str, *only: str) -> str:
    condition = " AND ".join([f"a.benefit = '{benefit}'", *only])
    return f"sum({what}) FILTER (WHERE {condition})"


def _given(terms: Terms, owner: str, sums: dict[str, str]) -> str:
    """What each exposure's subscription or customer was given in its period and currency."""
    same = f"a.{owner}_id = e.{owner}_id"
    if owner == "subscription" and terms.prices_period:
        # whoever has none is a customer of their own
        same = """a.customer_id = e.customer_id
            AND a.subscription_id IS NOT DISTINCT FROM e.subscription_id"""
    # an exposure has a row for each of its outages there
    each = "(SELECT DISTINCT ON (id) * FROM exposed)"
    exposed = each if terms.prices_each_outage else "exposed"
    own = ""
    if terms.ignores_own_awards:
        own = f"AND NOT (a.source = 'batch' AND a.incident_id = {int(terms.incident.pk)})"
    return f"""
        SELECT e.id, {", ".join(f"{sql} AS {name}" for name, sql in sums.items())}
        FROM {exposed} e
        JOIN compensation_award a ON {same}
        LEFT JOIN compensation_batch b ON b.id = a.batch_id
        LEFT JOIN incidents_incident i ON i.id = a.incident_id
        WHERE (a.benefit = 'credit' AND a.currency = e.currency OR a.benefit = 'trial')
            AND {_COUNTS} AND {_of_another_batch(terms)} {own}
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
