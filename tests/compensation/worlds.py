"""Random policies and customers, chosen so that bounds, ties and caps are hit often."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

from hypothesis import strategies as st

from backoffice.accounts.models import User
from backoffice.customers.models import Customer, Subscription
from compensation.models import Award, Batch, Policy, PolicyVersion, Rule
from incidents.models import Cohort, Exposure, Incident

CURRENCIES = ["EUR", "JPY", "KWD"]
PLANS = ["Business", "Consumer"]
COUNTRIES = ["DE", "JP"]
STATUSES = ["active", "trialing", "past_due", "canceled"]
STARTS = [
    datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 9, 14, tzinfo=UTC),
    datetime(2026, 10, 31, 12, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
]
MONTH, LONG_AGO = 2_592_000, datetime(2020, 1, 31, 6, tzinfo=UTC)
# What stands exactly at 99.999, 99.95, 99.9, 99 and 95 % of 30 days, and beside it.
SECONDS = [0, 1, 26, 1295, 1296, 1297, 2591, 2592, 2593, 25920, 129_600, MONTH, 3 * MONTH]
BOUNDS = [
    Decimal(b) for b in ("0", "50", "95", "99", "99.9", "99.95", "99.999", "99.999999", "100")
]
MINUTES = [Decimal(m) for m in ("0", "0.5", "21.6", "43.2", "432", "1000.001")]
CAPS = [Decimal(c) for c in ("5", "12.345", "100")]
VALUES = [Decimal(v) for v in ("0.0001", "3.5", "10", "12.5", "25", "33.3333", "100", "250")]
FEES = [0, 1, 5, 10, 99, 1000, 1001, 1999, 4990, 10_001, 49_900, 1_234_567]

amounts = st.dictionaries(
    st.sampled_from(CURRENCIES), st.integers(1, 500).map(lambda n: 10 * n), max_size=3
)


def ordered(values):
    """Two bounds in order, either or both missing."""
    some = st.none() | st.sampled_from(values)
    return st.tuples(some, some).map(lambda pair: tuple(sorted(pair)) if None not in pair else pair)


@st.composite
def rules(draw, position):
    uptime, minutes = draw(ordered(BOUNDS)), draw(ordered(MINUTES))
    tenure = draw(ordered([1, 12, 73, 80, 97]))
    credit = draw(st.sampled_from(["", "percent", "percent", "time_multiple", "fixed"]))
    some = st.booleans()
    rarely = st.integers(0, 3).map(lambda n: n == 0)
    return {
        "position": position,
        "plans": draw(st.just([]) | st.lists(st.sampled_from(PLANS), max_size=1)),
        "countries": draw(st.just([]) | st.lists(st.sampled_from(COUNTRIES), max_size=1)),
        "statuses": draw(st.just([]) | st.lists(st.sampled_from(STATUSES), max_size=3)),
        "tenure_months_from": tenure[0] if draw(rarely) else None,
        "tenure_months_to": tenure[1] if draw(rarely) else None,
        "uptime_from": uptime[0], "uptime_to": uptime[1],
        "uptime_from_inclusive": draw(some), "uptime_to_inclusive": draw(some),
        "minutes_from": minutes[0] if draw(rarely) else None,
        "minutes_to": minutes[1] if draw(rarely) else None,
        "minutes_from_inclusive": draw(some), "minutes_to_inclusive": draw(some),
        "credit": credit,
        "credit_value": draw(st.sampled_from(VALUES)) if credit else None,
        "credit_amounts": draw(amounts) if credit == "fixed" else {},
        "trial_days": draw(st.sampled_from([0, 0, 7])),
        "priority_days": draw(st.sampled_from([0, 0, 30])),
    }  # fmt: skip


@st.composite
def versions(draw):
    version = {
        "number": 1,
        "hit_policy": draw(st.sampled_from(PolicyVersion.HitPolicy.values)),
        "fee_period": draw(st.sampled_from(PolicyVersion.FeePeriod.values)),
        "partial_weight": draw(st.sampled_from([Decimal(w) for w in ("0", "0.333", "0.5", "1")])),
        "cap_percent": draw(st.none() | st.sampled_from(CAPS)),
        "cap_amounts": draw(st.just({}) | amounts),
        "minimum_amounts": draw(
            st.just({}) | amounts.map(lambda a: {k: v // 10 for k, v in a.items()})
        ),
        "is_minimum_exclusive": draw(st.booleans()),
        "rounding": draw(st.sampled_from(PolicyVersion.Rounding.values)),
    }
    return version, [draw(rules(n)) for n in range(1, draw(st.integers(1, 4)) + 1)]


exposures = st.fixed_dictionaries(
    {
        "customer": st.integers(0, 2),
        "has_subscription": st.integers(0, 4).map(bool),
        "plan": st.sampled_from(PLANS),
        "currency": st.sampled_from(CURRENCIES),
        "fee_minor": st.sampled_from(FEES),
        "interval_months": st.sampled_from([1, 3, 6, 12]),
        "status": st.sampled_from(["active", *STATUSES]),
        "tenure_days": st.sampled_from([0, 1, 28, 30, 365, 366, 2000, 2900]),
        "period_from": st.none() | st.integers(-500, 500),
        "trial_days": st.none() | st.integers(-40, 900),
        "on_stripe": st.integers(0, 5).map(bool),
        "major": st.sampled_from(SECONDS),
        "partial": st.sampled_from(SECONDS),
        # what the subscription got before: amount, and days before the incident
        "given": st.none() | st.tuples(st.integers(1, 200), st.sampled_from([0, 3, 40, 100])),
    }
)
customers = st.fixed_dictionaries(
    {
        "country": st.sampled_from(COUNTRIES),
        "currency": st.sampled_from(["", *CURRENCIES]),
        "on_stripe": st.integers(0, 5).map(bool),
    }
)
worlds = st.fixed_dictionaries(
    {
        "version": versions(),
        "started": st.sampled_from(STARTS),
        "customers": st.lists(customers, min_size=3, max_size=3),
        "exposures": st.lists(exposures, min_size=1, max_size=6),
    }
)


def build(world):
    """The world in the database: its batch, and what was given before."""
    terms, table = world["version"]
    policy = Policy.objects.create(key="random", name="Random")
    version = PolicyVersion.objects.create(policy=policy, **terms)
    Rule.objects.bulk_create(Rule(version=version, **rule) for rule in table)
    people = [
        Customer.objects.create(
            reference=f"C-{n}",
            country=one["country"],
            currency=one["currency"],
            stripe_customer_id=f"cus_{n}" if one["on_stripe"] else None,
        )
        for n, one in enumerate(world["customers"])
    ]
    incident = Incident.objects.create(number="INC-1", started_at=world["started"])
    cohort = Cohort.objects.create(incident=incident, name="All")
    given, without = [], set()
    for n, one in enumerate(world["exposures"]):
        customer = people[one["customer"]]
        subscription = None
        if one["has_subscription"]:
            subscription = subscribe(n, one, customer, world["started"])
        elif customer.pk in without or not customer.currency:
            continue
        else:
            without.add(customer.pk)
        Exposure.objects.create(
            incident=incident, cohort=cohort, customer=customer, subscription=subscription,
            major_seconds=one["major"], partial_seconds=one["partial"],
        )  # fmt: skip
        if one["given"] and subscription is not None:
            given.append(give(n, one, subscription, world["started"]))
    batch = Batch.objects.create(number="1", incident=incident, version=version)
    return batch, given


def subscribe(n, one, customer, at):
    period_start = None
    if one["period_from"] is not None:
        # not beyond the 28th: where a month is shorter, the anchor is lost with the next one
        period_start = (at + timedelta(days=one["period_from"])).replace(day=1 + n)
    return Subscription.objects.create(
        reference=f"S-{n}", customer=customer, plan=one["plan"], currency=one["currency"],
        fee_minor=one["fee_minor"], interval_months=one["interval_months"], status=one["status"],
        started_at=at - timedelta(days=one["tenure_days"]),
        trial_end=None if one["trial_days"] is None else at + timedelta(days=one["trial_days"]),
        period_start=period_start,
        period_end=period_start and period_start + timedelta(days=14 + 17 * (n % 2)),
        stripe_subscription_id=f"sub_{n}" if one["on_stripe"] else None,
    )  # fmt: skip


def give(n, one, subscription, started):
    """An approved credit of an earlier incident, or goodwill of that day."""
    amount, days = one["given"]
    at = started - timedelta(days=days)
    incident = Incident.objects.create(number=f"INC-0{n}", started_at=at) if n % 2 else None
    award = Award.objects.create(
        source="goodwill", incident=incident, customer=subscription.customer,
        subscription=subscription, benefit="credit", state="approved", amount_minor=amount,
        currency=subscription.currency, destination="cus_0", reason="Sorry.",
        given_by=User.objects.get_or_create(email="giver@example.com")[0],
    )  # fmt: skip
    if incident is None:
        Award.objects.filter(pk=award.pk).update(created_at=at)
    return SimpleNamespace(
        at=at, amount=amount, currency=subscription.currency,
        subscription=subscription.pk, customer=subscription.customer_id,
    )  # fmt: skip
