"""One incident under one version, priced for those who stand for the classes.

The statement is the one that prices batches. What it gives is kept for the sums, and seen by the
incidents that come later.
"""

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from compensation.models import PolicyVersion, Rule
from compensation.pricing.statement import Statement, exclusion, priced
from compensation.pricing.terms import Terms
from incidents.models import Incident

MAKE_AWARDS = """
CREATE TEMP TABLE backtest_given (
    side smallint, incident_id bigint, customer_id bigint, subscription_id bigint, benefit text,
    currency text, amount_minor bigint, days bigint, exclusion text
)
"""
_CREDIT = """
SELECT 'credit', m.customer_id, m.subscription_id, m.currency, m.amount_minor, 0, m.exclusion
FROM credits m
"""
_TRIAL = """
SELECT 'trial', m.customer_id, m.subscription_id, m.currency, 0, m.trial_days, {exclusion}
FROM matched m
WHERE m.trial_days > 0 AND m.status IN ('trialing', 'active', 'canceled')
"""
_PRIORITY = """
SELECT 'priority', m.customer_id, m.subscription_id, m.currency, 0, m.priority_days, {exclusion}
FROM matched m WHERE m.priority_days > 0
"""
_KEEP = """
INSERT INTO backtest_given
    (side, incident_id, benefit, customer_id, subscription_id, currency, amount_minor, days,
     exclusion)
SELECT {side}, {incident}, g.* FROM ({benefits}) g
"""
# Approved awards are what pricing counts as given; without their incident, whose day they bear,
# it need not be looked up for each of them.
_REMEMBER = """
, kept AS ({keep} RETURNING *)
INSERT INTO compensation_award
    (source, state, customer_id, subscription_id, benefit, amount_minor, currency,
     days, reversed_minor, created_at)
SELECT 'batch', 'approved', customer_id, subscription_id, benefit, amount_minor,
    currency, days, 0, %s
FROM kept WHERE exclusion = ''
"""


Shares = Mapping[int, Decimal]
# No incident's id, in statements that are kept.
_STAND_IN = -7_777_777_777_777_777


@dataclass(frozen=True)
class Side:
    """A version with its rows; `number` tells the two sides of a comparison apart."""

    number: int
    version: PolicyVersion
    rules: tuple[Rule, ...]
    # Statements that differ between incidents in nothing but the incident's id.
    kept: dict[tuple[datetime, int], Statement] = field(default_factory=dict, compare=False)

    @classmethod
    def of(cls, number: int, version: PolicyVersion) -> "Side":
        """Nobody is held out: the past was no experiment, and its draws would say nothing."""
        all_in = copy(version)
        all_in.holdout_percent = Decimal(0)
        return cls(number, all_in, tuple(version.rules.all()))

    @property
    def remembers(self) -> bool:
        """Whether what earlier incidents gave changes what later ones give."""
        version = self.version
        return (
            version.is_capped
            or version.cap_days is not None
            or version.basis == PolicyVersion.Basis.PERIOD
        )

    def statement(self, terms: Terms) -> Statement:
        """As `priced` has it; made once a month where nothing but the incident differs."""
        if terms.period is None or not self._repeats(terms):
            return priced(terms)
        key = (terms.period.start, terms.incident.started_at.astimezone(UTC).month)
        found = self.kept.get(key)
        if found is None:
            incident = copy(terms.incident)
            incident.pk = _STAND_IN
            found = priced(replace(terms, incident=incident))
            # Before anything was given nobody looks for it: good for this once.
            if not self.remembers or "given_to_" in found.sql:
                self.kept[key] = found
        pk = terms.incident.pk
        return Statement(
            found.sql.replace(str(_STAND_IN), str(pk)),
            tuple(pk if param == _STAND_IN else param for param in found.params),
        )

    def _repeats(self, terms: Terms) -> bool:
        """Whether nothing is counted from the outages, or told from the incident's day."""
        tells_days = any(
            rule.tenure_months_from is not None or rule.tenure_months_to is not None
            for rule in self.rules
        )
        return not (terms.counts_outages or tells_days)


def give(side: Side, incident: Incident, *, at: datetime, shares: Shares) -> None:
    """Price `incident` as at `at`. The stand-ins must hide the real tables.

    `shares` are those of the customers that incidents hit, for who stands for a class is not all.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    terms = Terms(side.version, incident, at, rules=side.rules, known_shares=shares)
    if terms.owes_nothing:
        return
    clause = side.statement(terms)
    benefits = [_CREDIT]
    if any(rule.trial_days for rule in side.rules):
        benefits.append(_TRIAL.format(exclusion=exclusion("trial", terms)))
    if any(rule.priority_days for rule in side.rules):
        benefits.append(_PRIORITY.format(exclusion=exclusion("priority", terms)))
    keep = _KEEP.format(
        side=int(side.number), incident=int(incident.pk), benefits=" UNION ALL ".join(benefits)
    )
    params: tuple[Any, ...] = clause.params
    if side.remembers:
        keep, params = _REMEMBER.format(keep=keep), (*params, incident.started_at)
    with connection.cursor() as cursor:
        cursor.execute(clause.sql + keep, params)
