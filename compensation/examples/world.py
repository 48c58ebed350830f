"""The made-up rows that a version's examples are priced on.

They have ids and names of their own (negative, at random), so that no sequence moves and nobody
else's row is in the way; no history is written.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from backoffice.customers.models import Component, Customer, Subscription
from compensation.models import PolicyExample, PolicyVersion
from compensation.pricing.periods import Period, add_months, calendar_period
from incidents.models import Cohort, Exposure, ExposureProfile, Incident, Outage

# Between two outages of an example, so that they stay two.
GAP = timedelta(minutes=1)
# Whoever's months with us are not said has been here for long.
LONG_AGO_MONTHS = 120
UNTRACKED = ("incidents.Incident:insert_insert", "incidents.Cohort:insert_insert",
             "incidents.Outage:insert_insert")  # fmt: skip
IN_ORDER = (Incident, Cohort, Component, Customer, Subscription, Outage, ExposureProfile, Exposure)


@dataclass(frozen=True)
class Case:
    """One example with its made-up subscription."""

    example: PolicyExample
    subscription_id: int
    outages: tuple[tuple[datetime, datetime], ...]

    @property
    def seconds(self) -> int:
        return int(sum((end - start for start, end in self.outages), timedelta()).total_seconds())


@dataclass(frozen=True)
class Scene:
    """An incident, for the examples of one period."""

    incident: Incident
    ends: datetime
    period: Period | None
    customers_share: Decimal
    cases: list[Case]


class World:
    """The made-up rows."""

    def __init__(self, version: PolicyVersion, examples: Sequence[PolicyExample]) -> None:
        self.version = version
        self._ids = count(-secrets.randbits(62))
        together: dict[tuple[Any, ...], list[PolicyExample]] = defaultdict(list)
        for example in examples:
            together[self._alike(example)].append(example)
        self.scenes = [self._scene(alike) for alike in together.values()]

    def _alike(self, example: PolicyExample) -> tuple[Any, ...]:
        share = example.share_percent if self._weighs_customers else None
        return example.starts_on, example.period_minutes, share

    @property
    def _weighs_customers(self) -> bool:
        return self.version.affected_share == PolicyVersion.Share.CUSTOMERS

    def _scene(self, alike: list[PolicyExample]) -> Scene:
        starts = datetime.combine(alike[0].starts_on, time(), tzinfo=UTC)
        cases = [Case(one, next(self._ids), _outages(one, starts)) for one in alike]
        ends = max((end for case in cases for _start, end in case.outages), default=starts)
        pk = next(self._ids)
        incident = Incident(
            pk=pk, number=f"EX-{-pk:x}", title="Example", started_at=starts, resolved_at=ends,
            state=Incident.State.RESOLVED, cohorts_resolved_at=ends,
        )  # fmt: skip
        share = alike[0].share_percent if self._weighs_customers else None
        weight = Decimal(1) if share is None else share / 100
        return Scene(incident, ends, self._period(alike[0], starts), weight, cases)

    def _period(self, example: PolicyExample, starts: datetime) -> Period | None:
        """The period that the example states, unless it is the calendar's own."""
        if example.period_minutes is None:
            return None
        end = starts + timedelta(minutes=example.period_minutes)
        if self._is_billing:
            return Period(starts, end, 1)
        own = calendar_period(starts, self.version.fee_period)
        return None if own == Period(starts, end, own.months) else Period(starts, end, own.months)

    @property
    def _is_billing(self) -> bool:
        return self.version.fee_period == PolicyVersion.FeePeriod.BILLING

    def create(self) -> None:
        """One statement a table, however many examples there are; call it with `UNTRACKED` off."""
        rows: dict[type[Any], list[Any]] = defaultdict(list)
        for scene in self.scenes:
            rows[Incident].append(scene.incident)
            cohort = Cohort(pk=next(self._ids), incident=scene.incident, name="Example")
            rows[Cohort].append(cohort)
            for case in scene.cases:
                for row in self._rows(scene, cohort, case):
                    rows[type(row)].append(row)
        for model in IN_ORDER:
            model._default_manager.bulk_create(rows[model])

    def _rows(self, scene: Scene, cohort: Cohort, case: Case) -> Iterator[Any]:
        example, name = case.example, f"example{case.subscription_id}"
        component = Component(pk=next(self._ids), key=name, name=name, is_public=False)
        customer = Customer(
            pk=next(self._ids), reference=name, country=example.country, segment=example.segment,
            currency=example.currency, stripe_customer_id=name,
        )  # fmt: skip
        yield from (component, customer, self._subscription(scene, customer, case, name))
        for start, end in case.outages:
            yield Outage(
                pk=next(self._ids), incident=scene.incident, component=component,
                impact=example.impact, starts_at=start, ends_at=end,
                affected_percent=example.share_percent,
            )  # fmt: skip
        seconds = {"major_seconds": 0, "partial_seconds": 0}
        seconds[f"{example.impact}_seconds"] = case.seconds
        profile = ExposureProfile(
            pk=next(self._ids), incident=scene.incident, components=[component.pk],
            lived_from=scene.incident.started_at, **seconds,
        )  # fmt: skip
        yield profile
        yield Exposure(
            pk=next(self._ids), incident=scene.incident, cohort=cohort, customer=customer,
            subscription_id=case.subscription_id, profile=profile, **seconds,
        )  # fmt: skip

    def _subscription(
        self, scene: Scene, customer: Customer, case: Case, name: str
    ) -> Subscription:
        example, starts = case.example, scene.incident.started_at
        months = LONG_AGO_MONTHS if example.tenure_months is None else example.tenure_months
        return Subscription(
            pk=case.subscription_id, reference=name, customer=customer, plan=example.plan,
            fee_minor=example.fee_minor, currency=example.currency,
            started_at=add_months(starts, -months), stripe_subscription_id=name,
            period_start=starts, period_end=add_months(starts, 1),
        )  # fmt: skip


def _outages(example: PolicyExample, starts: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """One after another from the period's begin on."""
    laid, at = [], starts
    for minutes in example.minutes:
        length = timedelta(milliseconds=int(minutes * 60_000))
        if length:
            laid.append((at, at + length))
            at += length + GAP
    return tuple(laid)
