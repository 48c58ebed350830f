"""Pricing once more, in exact fractions and plain Python, straight from the policy's words.

Shares no code with `compensation.pricing`: it reads the same rows one by one. Where the words of
`PolicyVersion` and `Rule` leave a choice, this is what we hold them to (see also `lived`):

- Whoever was hit, but for no time that counts (outages too short, weighed with nothing, or not
  one whole interval), gets nothing, also where a row asks nothing of uptime. Who was hit for no
  second at all, as a list may state, is priced with a downtime of 0.
- Downtime is at most the period for uptime and amounts. Rows that compare minutes compare all of
  it: “more than 60 days” can be met by an outage that began in a month.
- With the basis `period`, of an exposure without subscription those of its customer without one
  are added up. What batches gave is taken away from days of service, too: Google Workspace's
  “3 days below 99.9 %, 7 below 99 %” are a month's, and the seven contain the three. Days of
  priority support are not summed, they begin anew.
- Priced outage by outage, days add up like amounts; `rules` are all rows that fitted one.
- Of a customer's cap, what each subscription comes to before this cap counts as used by it, also
  where its own billing period had less left of the cap than the next one's has.
- An allowance of uptime is a share of the period, also where each outage is priced by itself.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import sha256
from itertools import chain
from typing import NamedTuple

from backoffice.money import THREE_DECIMAL
from incidents.models import Exposure
from tests.compensation.lived import counted, lived, long_enough, share_of_customers

MILLISECOND = timedelta(milliseconds=1)
ZERO = Fraction(0)


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


class Down(NamedTuple):
    """What is priced at once: downtime (ms), uptime (percent), and the rows that fit."""

    time: Fraction
    uptime: Fraction
    rules: tuple[int, ...]


def owed(version, incident, *, now, given=()):
    """What `version` owes for every exposure of `incident`; `given` are awards that count."""
    if incident.kind == "maintenance" and not version.counts_maintenance:
        return []
    world = World(version, incident, given)
    exposures = [exposure for exposure in world.exposures if exposure.incident_id == incident.pk]
    # Who was here first is served first; without a subscription last.
    exposures.sort(key=lambda e: (e.subscription_id is None, e.subscription_id))
    used = {}
    awards = []
    for exposure in exposures:
        case = Case(world, exposure)
        if case.rules:
            awards += credit(case, used)
            awards += days(case, now)
    return awards


class World:
    """One version for one incident among others; read once."""

    def __init__(self, version, incident, given):
        self.version, self.incident, self.given = version, incident, given
        self.rules = sorted(version.rules.all(), key=lambda rule: rule.position)
        found = Exposure.objects.select_related("subscription", "customer", "incident", "profile")
        self.exposures = list(found.prefetch_related("incident__outages"))
        self.by_owner = {}
        for exposure in self.exposures:
            self.by_owner.setdefault(owner(exposure), []).append(exposure)
        incidents = {exposure.incident for exposure in self.exposures}
        self.shares = {each.pk: share_of_customers(each) for each in incidents}

    @property
    def counts_outages(self):
        """Whether seconds and weights alone do not tell the downtime."""
        version = self.version
        return bool(
            version.shortest_minutes is not None
            or version.interval_minutes is not None
            or version.affected_share
            or version.fee_period == "outage"
            or version.basis == "period"
        )


def owner(row):
    return row.customer_id, row.subscription_id


class Case:
    """One exposure under one version."""

    def __init__(self, world, exposure):
        self.world, self.version, self.exposure = world, world.version, exposure
        self.at = world.incident.started_at
        self.subscription, self.customer = exposure.subscription, exposure.customer
        source = self.subscription or self.customer
        self.currency = source.currency
        self.start, self.end, self.months = self.period()
        self.length = (self.end - self.start) // MILLISECOND
        self.given = [
            one for one in world.given
            if self.start <= one.at < self.end and one.customer == exposure.customer_id
        ]  # fmt: skip
        self.downs = [self.down(time) for time in self.times()]
        self.rules = tuple(sorted({rule.position for rule in self.fitting}))

    def times(self):
        """The downtimes to be priced, in milliseconds."""
        version, exposure = self.version, self.exposure
        if not self.world.counts_outages:
            weight = Fraction(version.partial_weight)
            if weight == 0 and exposure.major_seconds == 0 and exposure.partial_seconds:
                return []
            return [(exposure.major_seconds + exposure.partial_seconds * weight) * 1000]
        exposures = self.of_the_period() if version.basis == "period" else [exposure]
        outages = lived(version, exposures, self.world.shares)
        times = [counted(version, each) for each in outages if long_enough(version, each)]
        times = [time for time in times if time]
        if not times:
            was_hit = any(each.major_seconds + each.partial_seconds for each in exposures)
            return [] if was_hit else [ZERO]
        return times if version.fee_period == "outage" else [sum(times)]

    def of_the_period(self):
        return [
            each for each in self.world.by_owner[owner(self.exposure)]
            if self.start <= each.incident.started_at < self.end
            and (self.version.counts_maintenance or each.incident.kind != "maintenance")
        ]  # fmt: skip

    def down(self, time):
        whole, time = time, min(time, Fraction(self.length))
        uptime = Fraction(100) * (self.length - time) / self.length
        if self.version.uptime_decimals is not None:
            uptime = to_decimals(uptime, self.version.uptime_decimals, self.version.uptime_rounding)
        fitting = [rule for rule in self.world.rules if self.fits(rule, whole, uptime)]
        return Down(time, uptime, tuple(fitting[:1] if self.is_first else fitting))

    @property
    def is_first(self):
        return self.version.hit_policy == "first"

    @property
    def fitting(self):
        return list(chain.from_iterable(down.rules for down in self.downs))

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

    def monthly(self):
        if self.subscription is None:
            return ZERO
        return Fraction(self.subscription.fee_minor, self.subscription.interval_months)

    def fee(self):
        return self.monthly() * (1 if self.version.fee_base == "month" else self.months)

    def fits(self, rule, time, uptime):
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
        if not CONDITIONS[rule.condition](self.subscription, customer):
            return False
        return inside(rule, "uptime", uptime) and inside(rule, "minutes", time / 60_000)

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


# Further conditions that worlds ask; a customer without subscription fits none.
CONDITIONS = {
    "": lambda _sub, _customer: True,
    "fee_minor < 1001": lambda sub, _customer: sub is not None and sub.fee_minor < 1001,
    'customer.country = "DE"': lambda sub, customer: sub is not None and customer.country == "DE",
}


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


def to_decimals(value, decimals, how):
    whole, rest = divmod(value * 10**decimals, 1)
    up = {"half_up": rest >= Fraction(1, 2), "down": False, "up": rest > 0}[how]
    return Fraction(whole + up, 10**decimals)


def promised(case, down, rule):
    """What one row gives for one downtime, exact."""
    value = Fraction(rule.credit_value or 0)
    if rule.credit == "percent":
        return case.fee() * value / 100
    if rule.credit == "time_multiple":
        return case.fee() * value * down.time / case.length
    if rule.credit == "step":
        return case.fee() * value * steps(case, down, rule) / 100
    if rule.credit == "hours":
        month = 24 * monthrange(case.at.year, case.at.month)[1]
        return case.monthly() * value / (rule.fee_hours or month)
    if rule.credit == "fixed":
        return Fraction(rule.credit_amounts.get(case.currency, 0))
    return ZERO


def steps(case, down, rule):
    allowance = Fraction(rule.allowance_minutes or 0) * 60_000
    if rule.allowance_uptime is not None:
        allowance = (100 - Fraction(rule.allowance_uptime)) * case.length / 100
    whole, rest = divmod(down.time - allowance, Fraction(rule.step_minutes) * 60_000)
    return max(whole + (rule.step_counts == "started" and rest > 0), 0)


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


def credit(case, used):
    version, sub, customer = case.version, case.subscription, case.customer
    value = sum((promised(case, down, rule) for down in case.downs for rule in down.rules), ZERO)
    money = [g for g in case.given if g.benefit == "credit" and g.currency == case.currency]
    if version.basis == "period":
        value = max(value - sum(g.amount for g in money if gave(case, g)), ZERO)
    if version.cap_percent is not None and sub is not None:
        left = case.fee() * Fraction(version.cap_percent) / 100
        left -= sum(g.amount for g in money if g.subscription == sub.pk)
        value = min(value, max(left, ZERO))
    amount = rounded(value, case.currency, version.rounding)
    own, why = amount, exclusion(case, "credit")
    cap = version.cap_amounts.get(case.currency)
    key = (customer.pk, case.currency)
    if cap is not None:
        step = 10 if case.currency in THREE_DECIMAL else 1
        left = cap - used.get(key, 0) - sum(g.amount for g in money)
        amount = min(amount, max(left, 0) // step * step)
    if not why and is_paid(version, own, case.currency):
        used[key] = used.get(key, 0) + own
    if not is_paid(version, amount, case.currency):
        return []
    return [award(case, "credit", why, amount_minor=amount)]


def is_paid(version, amount, currency):
    least = version.minimum_amounts.get(currency, 0)
    if version.is_minimum_exclusive and amount <= least:
        return False
    return amount > 0 and amount >= least


def gave(case, given):
    """Whether a batch gave it to the case's owner."""
    return given.source == "batch" and given.subscription == case.exposure.subscription_id


def days(case, now):
    sub = case.subscription
    trial = sum(rule.trial_days for rule in case.fitting)
    if trial and sub is not None and sub.status in {"trialing", "active", "canceled"}:
        trial = days_left(case, trial)
        if trial:
            ends = [at for at in (sub.trial_end, sub.period_end, now) if at is not None]
            until = max(ends) + timedelta(days=trial)
            yield award(case, "trial", exclusion(case, "trial"), days=trial, until=until)
    priority = sum(rule.priority_days for rule in case.fitting)
    if priority:
        until = now + timedelta(days=priority)
        yield award(case, "priority", exclusion(case, "priority"), days=priority, until=until)


def days_left(case, promised):
    """Of the days of service promised, under what was given of them."""
    before = [
        g for g in case.given
        if g.benefit == "trial" and g.subscription == case.exposure.subscription_id
    ]  # fmt: skip
    if case.version.basis == "period":
        promised -= sum(g.days for g in before if g.source == "batch")
    if case.version.cap_days is not None:
        promised = min(promised, case.version.cap_days - sum(g.days for g in before))
    return max(promised, 0)


def exclusion(case, benefit):
    sub, customer = case.subscription, case.customer
    if any(
        gave(case, g) and g.benefit == benefit and g.incident == case.exposure.incident_id
        for g in case.world.given if g.customer == customer.pk
    ):  # fmt: skip
        return "already_awarded"
    if sub is not None and sub.status == "canceled":
        return "cancelled"
    if benefit == "credit" and not customer.stripe_customer_id:
        return "no_stripe_customer"
    if benefit == "credit" and customer.currency not in {"", case.currency}:
        return "other_currency"
    if benefit == "trial" and not sub.stripe_subscription_id:
        return "no_stripe_subscription"
    return "held_out" if is_held_out(case) else ""


def is_held_out(case):
    """A stable share of customers, anew for each incident: the first 32 bits of a hash."""
    version = case.version
    words = f"{case.world.incident.number}:{case.customer.reference}"
    bits = int(sha256(words.encode()).hexdigest()[:8], 16)
    return version.is_voluntary and bits * 10_000 < version.holdout_percent * 100 * 2**32


def award(case, benefit, why, *, amount_minor=0, days=0, until=None):
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
        rules=case.rules,
    )
