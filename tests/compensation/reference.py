"""Pricing once more, in exact fractions and plain Python, straight from the policy's words.

Shares no code with `compensation.pricing`: it reads the same rows one by one.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from backoffice.money import THREE_DECIMAL

MILLISECOND = timedelta(milliseconds=1)


class Owed(NamedTuple):
    """One benefit as it should be written."""

    subscription: int | None
    customer: int
    benefit: str
    state: str
    exclusion: str
    amount_minor: int
    currency: str
    days: int
    until: datetime | None
    rules: tuple[int, ...]


def owed(version, incident, *, now, given=()):
    """What `version` owes for every exposure of `incident`; `given` are awards that count."""
    if incident.kind == "maintenance" and not version.counts_maintenance:
        return []
    rules = sorted(version.rules.all(), key=lambda rule: rule.position)
    exposures = incident.exposures.select_related("subscription", "customer")
    # Who was here first is served first; without a subscription last.
    exposures = sorted(exposures, key=lambda e: (e.subscription_id is None, e.subscription_id))
    used = {}
    awards = []
    for exposure in exposures:
        case = Case(version, incident, exposure)
        fitting = [rule for rule in rules if case.fits(rule)]
        if version.hit_policy == "first":
            fitting = fitting[:1]
        if fitting and case.counts:
            awards += credit(case, fitting, given, used)
            awards += days(case, fitting, now)
    return awards


class Case:
    """One exposure under one version."""

    def __init__(self, version, incident, exposure):
        self.version, self.exposure, self.at = version, exposure, incident.started_at
        self.subscription, self.customer = exposure.subscription, exposure.customer
        source = self.subscription or self.customer
        self.currency = source.currency
        self.start, self.end, self.months = self.period()
        self.length = (self.end - self.start) // MILLISECOND
        weighed = Fraction(exposure.partial_seconds) * Fraction(version.partial_weight)
        self.down = (exposure.major_seconds + weighed) * 1000
        self.counts = not (version.partial_weight == 0 and exposure.major_seconds == 0
                           and exposure.partial_seconds > 0)  # fmt: skip
        self.uptime = Fraction(100) * (self.length - min(self.down, self.length)) / self.length

    def period(self):
        at, sub = self.at, self.subscription
        if self.version.fee_period == "billing" and sub and sub.period_start:
            start, end, step = sub.period_start, sub.period_end, sub.interval_months
            if start <= at < end:
                return start, end, step
            origin = end if at >= end else start
            turns = next(
                n for n in (range(1000) if at >= end else range(-1, -1000, -1))
                if later(origin, n * step) <= at < later(origin, (n + 1) * step)
            )  # fmt: skip
            return later(origin, turns * step), later(origin, (turns + 1) * step), step
        months = {"quarter": 3, "year": 12}.get(self.version.fee_period, 1)
        month = at.month - (at.month - 1) % months
        start = datetime(at.year, month, 1, tzinfo=UTC)
        return start, later(start, months), months

    def fee(self):
        if self.subscription is None:
            return Fraction(0)
        return Fraction(
            self.subscription.fee_minor * self.months, self.subscription.interval_months
        )

    def fits(self, rule):
        sub, customer = self.subscription, self.customer
        asked = [
            (rule.plans, sub and sub.plan),
            (rule.statuses, sub and sub.status),
            (rule.countries, customer.country),
            (rule.segments, customer.segment),
        ]
        if any(wanted and have not in wanted for wanted, have in asked):
            return False
        if not self.fits_tenure(rule):
            return False
        minutes = Fraction(self.down, 60_000)
        return inside(rule, "uptime", self.uptime) and inside(rule, "minutes", minutes)

    def fits_tenure(self, rule):
        low, high = rule.tenure_months_from, rule.tenure_months_to
        if low is None and high is None:
            return True
        if self.subscription is None:
            return False
        began = self.subscription.started_at.date()
        months = 0
        while later(began, months + 1) <= self.at.date():
            months += 1
        if began > self.at.date():
            months = -1
        return (low is None or months >= low) and (high is None or months < high)


def later(day, months):
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, monthrange(year, month)[1]))


def inside(rule, name, value):
    low, high = getattr(rule, f"{name}_from"), getattr(rule, f"{name}_to")
    if low is not None:
        low = Fraction(low)
        if value < low or (value == low and not getattr(rule, f"{name}_from_inclusive")):
            return False
    if high is not None:
        high = Fraction(high)
        if value > high or (value == high and not getattr(rule, f"{name}_to_inclusive")):
            return False
    return True


def promised(case, rule):
    if rule.credit == "percent":
        return case.fee() * Fraction(rule.credit_value) / 100
    if rule.credit == "time_multiple":
        lost = min(case.down, case.length)
        return case.fee() * Fraction(rule.credit_value) * lost / case.length
    if rule.credit == "fixed":
        return Fraction(rule.credit_amounts.get(case.currency, 0))
    return Fraction(0)


def rounded(value, currency, how):
    step = 10 if currency in THREE_DECIMAL else 1
    steps = value / step
    whole, rest = steps // 1, steps % 1
    half = Fraction(1, 2)
    up = {
        "": rest >= half,
        "half_up": rest >= half,
        "half_even": rest > half or (rest == half and whole % 2 == 1),
        "up": rest > 0,
        "down": False,
    }[how]
    return int(whole + up) * step


def credit(case, fitting, given, used):
    version, sub, customer = case.version, case.subscription, case.customer
    value = sum((promised(case, rule) for rule in fitting), Fraction(0))
    counted = [g for g in given if g.currency == case.currency and case.start <= g.at < case.end]
    if version.cap_percent is not None and sub is not None:
        left = case.fee() * Fraction(version.cap_percent) / 100
        left -= sum(g.amount for g in counted if g.subscription == sub.pk)
        value = min(value, max(left, Fraction(0)))
    amount = rounded(value, case.currency, version.rounding)
    why = exclusion(case, "credit")
    cap = version.cap_amounts.get(case.currency)
    key = (customer.pk, case.currency)
    if cap is not None:
        step = 10 if case.currency in THREE_DECIMAL else 1
        left = cap - used.get(key, 0) - sum(g.amount for g in counted if g.customer == customer.pk)
        amount = min(amount, max(left, 0) // step * step)
    least = version.minimum_amounts.get(case.currency, 0)
    if amount <= 0 or amount < least or (version.is_minimum_exclusive and amount <= least):
        return []
    if not why:
        used[key] = used.get(key, 0) + amount
    return [award(case, "credit", why, fitting, amount_minor=amount)]


def days(case, fitting, now):
    sub = case.subscription
    trial = sum(rule.trial_days for rule in fitting)
    if trial and sub is not None and sub.status in {"trialing", "active", "canceled"}:
        ends = [at for at in (sub.trial_end, sub.period_end, now) if at is not None]
        until = max(ends) + timedelta(days=trial)
        yield award(case, "trial", exclusion(case, "trial"), fitting, days=trial, until=until)
    priority = sum(rule.priority_days for rule in fitting)
    if priority:
        until = now + timedelta(days=priority)
        why = exclusion(case, "priority")
        yield award(case, "priority", why, fitting, days=priority, until=until)


def exclusion(case, benefit):
    sub, customer = case.subscription, case.customer
    if sub is not None and sub.status == "canceled":
        return "cancelled"
    if benefit == "credit" and not customer.stripe_customer_id:
        return "no_stripe_customer"
    if benefit == "credit" and customer.currency not in {"", case.currency}:
        return "other_currency"
    if benefit == "trial" and not sub.stripe_subscription_id:
        return "no_stripe_subscription"
    return ""


def award(case, benefit, why, fitting, *, amount_minor=0, days=0, until=None):
    return Owed(
        subscription=case.exposure.subscription_id,
        customer=case.exposure.customer_id,
        benefit=benefit,
        state="excluded" if why else "proposed",
        exclusion=why,
        amount_minor=amount_minor,
        currency=case.currency,
        days=days,
        until=until,
        rules=tuple(rule.position for rule in fitting),
    )
