"""The examples of a policy version, priced as a batch is: by the same statement, on made-up rows.

A customer, a subscription, an incident with its outages and an exposure are made for each example
within a savepoint that is always taken back.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction
from django.utils.translation import gettext_lazy

from compensation import coverage
from compensation.examples.results import Result
from compensation.examples.world import UNTRACKED, Case, Scene, World
from compensation.models import PolicyExample, PolicyVersion, Rule
from compensation.pricing.periods import calendar_period
from compensation.pricing.statement import priced
from compensation.pricing.terms import Terms

__all__ = ["Result", "run", "run_examples"]

TOO_LARGE = gettext_lazy(
    "An example comes to more than can be counted: are its figures and the credit meant so?"
)
# Where each outage is priced by itself, a subscription has a row for each, added up at last.
_READ = """
    , fitting AS (
        SELECT subscription_id, array_agg(DISTINCT position) AS rules, max(trial_days) AS days
        FROM matched CROSS JOIN unnest(rules) AS u (position) GROUP BY subscription_id
    ), paid AS (
        SELECT subscription_id, sum(amount_minor)::bigint AS amount
        FROM credits GROUP BY subscription_id
    )
    SELECT e.subscription_id, max(e.downtime), max(e.period_ms),
        COALESCE(max(f.rules), '{}'), COALESCE(max(f.days), 0), COALESCE(max(p.amount), 0)
    FROM exposed e LEFT JOIN fitting f ON f.subscription_id = e.subscription_id
        LEFT JOIN paid p ON p.subscription_id = e.subscription_id
    GROUP BY e.subscription_id
"""


def run_examples(version: PolicyVersion) -> list[Result]:
    """Price every example of `version`, in their order; nothing stays in the database.

    As many queries for many examples as for one, but for each other period that they are in.

    Raises:
        ConditionError: a row's further condition cannot be understood.
    """
    return run(version, list(version.rules.all()), list(version.examples.all()))


def run(
    version: PolicyVersion, rules: Sequence[Rule], examples: Sequence[PolicyExample]
) -> list[Result]:
    """As `run_examples`, for terms, rows and examples that need not be saved.

    Raises:
        ConditionError: a row's further condition cannot be understood.
        ValidationError: a figure is beyond what can be counted.
    """
    if not examples:
        return []
    try:
        world, found = _found(version, rules, examples)
    # Dates before the year 1 or after 9999 are a ValueError.
    except (DataError, OverflowError, ValueError) as error:
        raise ValidationError(TOO_LARGE) from error
    holes = coverage.holes(version, rules)
    in_order = {id(case.example): _result(version, scene, case, found, holes)
                for scene in world.scenes for case in scene.cases}  # fmt: skip
    return [in_order[id(example)] for example in examples]


def _found(
    version: PolicyVersion, rules: Sequence[Rule], examples: Sequence[PolicyExample]
) -> tuple[World, dict[int, tuple[Any, ...]]]:
    """What the statement gives on made-up rows, which are taken back.

    The triggers are told to wake again after the savepoint has gone, for a failed one refuses
    that and would hide why it failed.
    """
    world = World(version, examples)
    found = {}
    with pgtrigger.ignore(*UNTRACKED), transaction.atomic():
        world.create()
        for scene in world.scenes:
            found.update(_price(scene, version, rules))
        transaction.set_rollback(True)
    return world, found


def _price(
    scene: Scene, version: PolicyVersion, rules: Sequence[Rule]
) -> dict[int, tuple[Any, ...]]:
    """What the statement gives, by subscription."""
    terms = Terms(
        version, scene.incident, scene.ends, rules=tuple(rules),
        period_override=scene.period, customers_share=scene.customers_share,
    )  # fmt: skip
    if terms.owes_nothing:
        return {}
    clause = priced(terms)
    with connection.cursor() as cursor:
        cursor.execute(clause.sql + _READ, clause.params)
        return {row[0]: (Fraction(row[1]) / terms.scale, *row[2:]) for row in cursor.fetchall()}


def _result(
    version: PolicyVersion,
    scene: Scene,
    case: Case,
    found: dict[int, tuple[Any, ...]],
    holes: list[coverage.Hole],
) -> Result:
    """Whoever was hit in no way that counts had no downtime."""
    period = scene.period or calendar_period(scene.incident.started_at, version.fee_period)
    nothing = (Fraction(0), period.milliseconds, (), 0, 0)
    downtime, lasting, rules, days, amount = found.get(case.subscription_id, nothing)
    result = Result(
        case.example, int(amount), int(days), tuple(rules), downtime, int(lasting),
        uptime_decimals=version.uptime_decimals, uptime_rounding=version.uptime_rounding,
    )  # fmt: skip
    return result.beside(holes)
