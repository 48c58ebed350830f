"""Random policies and customers, chosen so that bounds, ties and caps are hit often."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import strategies as st

from compensation.models import PolicyVersion, Rule

CURRENCIES = ["EUR", "JPY", "KWD"]
PLANS = ["Business", "Consumer"]
COUNTRIES = ["DE", "JP"]
REGIONS = ["eu", "us"]
STATUSES = ["active", "trialing", "past_due", "canceled"]
STARTS = [
    datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
    datetime(2026, 9, 14, tzinfo=UTC),
    datetime(2026, 10, 31, 12, tzinfo=UTC),
    datetime(2024, 2, 29, tzinfo=UTC),
]
MONTH = 2_592_000
# What stands exactly at 99.999, 99.95, 99.9, 99 and 95 % of 30 days, and beside it.
SECONDS = [0, 1, 26, 1295, 1296, 1297, 2591, 2592, 2593, 25920, 129_600, MONTH, 3 * MONTH]
# What is a shortest outage, a half or a whole interval, and beside it.
LENGTHS = [1, 59, 60, 61, 150, 299, 300, 301, 450, 600, 900, 1296, 1800, 2592, 3600, 25920, 129_600]
AFTER = [0, 60, 150, 300, 301, 600, 1800, 3600, 86_400, 129_600]
BOUNDS = [
    Decimal(b) for b in ("0", "50", "95", "99", "99.9", "99.95", "99.999", "99.999999", "100")
]
MINUTES = [Decimal(m) for m in ("0", "0.5", "5", "15", "21.6", "43.2", "432", "1000.001", "43200")]
CAPS = [Decimal(c) for c in ("5", "12.345", "100")]
VALUES = [Decimal(v) for v in ("0.0001", "3.5", "10", "12.5", "25", "33.3333", "100", "250")]
FEES = [0, 1, 5, 10, 99, 1000, 1001, 1999, 4990, 10_001, 49_900, 1_234_567]
INTERVALS = [Decimal(m) for m in ("0.001", "1", "5", "10", "15", "30.5", "60")]
CREDITS = ["", "percent", "percent", "time_multiple", "step", "step", "hours", "fixed"]

amounts = st.dictionaries(
    st.sampled_from(CURRENCIES), st.integers(1, 500).map(lambda n: 10 * n), max_size=3
)
rarely = st.integers(0, 3).map(lambda n: n == 3)


def ordered(values):
    """Two bounds in order, either or both missing."""
    some = st.none() | st.sampled_from(values)
    return st.tuples(some, some).map(lambda pair: tuple(sorted(pair)) if None not in pair else pair)


def often_none(values):
    return st.sampled_from([None] * len(values) + values)


@st.composite
def rules(draw, position):
    uptime, minutes = draw(ordered(BOUNDS)), draw(ordered(MINUTES))
    tenure = draw(ordered([1, 12, 73, 80, 97]))
    some = st.booleans()
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
        "condition": draw(st.sampled_from(
            ["", "", "", "", "fee_minor < 1001", 'customer.country = "DE"']
        )),
        "trial_days": draw(st.sampled_from([0, 0, 7])),
        "priority_days": draw(st.sampled_from([0, 0, 0, 30])),
        **draw(credits()),
    }  # fmt: skip


@st.composite
def credits(draw):  # noqa: A001 - what a row gives
    credit = draw(st.sampled_from(CREDITS))
    fields = {"credit": credit}
    if credit == "fixed":
        fields["credit_amounts"] = draw(amounts)
    elif credit:
        fields["credit_value"] = draw(st.sampled_from(VALUES))
    if credit == "hours":
        fields["fee_hours"] = draw(st.sampled_from([None, 720, 730]))
    if credit == "step":
        fields["step_minutes"] = draw(st.sampled_from(INTERVALS[1:]))
        fields["step_counts"] = draw(st.sampled_from(Rule.Step.values))
        allowance = draw(st.sampled_from(["", "allowance_minutes", "allowance_uptime"]))
        if allowance:
            values = MINUTES if allowance == "allowance_minutes" else BOUNDS
            fields[allowance] = draw(st.sampled_from(values))
    return fields


@st.composite
def versions(draw):
    is_voluntary = draw(rarely)
    version = {
        "hit_policy": draw(st.sampled_from(PolicyVersion.HitPolicy.values)),
        "fee_period": draw(st.sampled_from(PolicyVersion.FeePeriod.values)),
        "fee_base": draw(st.sampled_from(PolicyVersion.FeeBase.values)),
        "basis": draw(st.sampled_from(PolicyVersion.Basis.values)),
        "shortest_minutes": draw(often_none([Decimal(m) for m in ("0", "1", "5", "15")])),
        "is_shortest_exclusive": draw(st.booleans()),
        "interval_minutes": draw(often_none(INTERVALS)),
        "interval_rounding": draw(st.sampled_from(PolicyVersion.IntervalRounding.values)),
        "uptime_decimals": draw(often_none([0, 1, 2, 3, 6])),
        "uptime_rounding": draw(st.sampled_from(PolicyVersion.UptimeRounding.values)),
        "affected_share": draw(st.sampled_from(["", "", "customers", "requests"])),
        "partial_weight": draw(st.sampled_from([Decimal(w) for w in ("0", "0.333", "0.5", "1")])),
        "counts_maintenance": draw(st.booleans()),
        "cap_percent": draw(st.none() | st.sampled_from(CAPS)),
        "cap_amounts": draw(st.just({}) | amounts),
        "cap_days": draw(often_none([1, 7, 10])),
        "minimum_amounts": draw(
            st.just({}) | amounts.map(lambda a: {k: v // 10 for k, v in a.items()})
        ),
        "is_minimum_exclusive": draw(st.booleans()),
        "rounding": draw(st.sampled_from(PolicyVersion.Rounding.values)),
        "is_voluntary": is_voluntary,
        "holdout_percent": draw(
            st.sampled_from([Decimal(p) for p in ("0", "12.5", "50")])
        ) if is_voluntary else Decimal(0),
    }  # fmt: skip
    return version, [draw(rules(n)) for n in range(1, draw(st.integers(1, 4)) + 1)]


outages = st.fixed_dictionaries(
    {
        "component": st.integers(0, 2),
        "impact": st.sampled_from(["major", "partial"]),
        "region": st.sampled_from(["", "", *REGIONS]),
        "after": st.sampled_from(AFTER),
        "seconds": st.sampled_from(LENGTHS),
        "affected_percent": st.sampled_from(
            [None, *(Decimal(p) for p in ("0", "12.5", "33.333", "100"))]
        ),
    }
)
incidents = st.fixed_dictionaries(
    {
        "days": st.sampled_from([-40, -13, -1, 0, 0, 1, 16, 40]),
        "kind": st.sampled_from(["incident", "incident", "maintenance"]),
        "outages": st.lists(outages, min_size=1, max_size=4),
    }
)
given = st.fixed_dictionaries(
    {
        "amount": st.integers(1, 200),
        "days": st.sampled_from([0, 3, 40, 100]),
        "source": st.sampled_from(["goodwill", "batch"]),
        "benefit": st.sampled_from(["credit", "credit", "trial"]),
        # of the priced incident itself, of an earlier one, or of none
        "of": st.sampled_from(["earlier", "earlier", "none", "this"]),
        "state": st.sampled_from(["approved", "issued", "failed", "submitted"]),
    }
)
exposures = st.fixed_dictionaries(
    {
        "customer": st.integers(0, 9),
        "has_subscription": st.integers(0, 6).map(bool),
        "plan": st.sampled_from(PLANS),
        "currency": st.sampled_from(CURRENCIES),
        "fee_minor": st.sampled_from(FEES),
        "interval_months": st.sampled_from([1, 3, 6, 12]),
        "status": st.sampled_from(["active", *STATUSES]),
        "tenure_days": st.sampled_from([0, 1, 28, 30, 365, 366, 2000, 2900]),
        "period_from": st.none() | st.integers(-500, 500),
        "trial_days": st.none() | st.integers(-40, 900),
        "on_stripe": st.integers(0, 5).map(bool),
        # stated on a list, or (more often) found by what it uses
        "is_stated": rarely,
        "major": st.sampled_from(SECONDS),
        "partial": st.sampled_from(SECONDS),
        "components": st.sampled_from([(0,), (0, 1), (0, 1, 2), (1, 2)]),
        "region": st.sampled_from(["", *REGIONS]),
        # the part of the incident that it lived, in seconds after its beginning
        "lived": st.sampled_from([(0, None), (0, None), (0, None), (0, 330), (150, None)]),
        "in_others": st.sampled_from([(), (0,), (0, 1), (0, 1, 2)]),
        # what the subscription got before
        "given": st.none() | st.none() | given,
    }
)
customers = st.fixed_dictionaries(
    {
        "country": st.sampled_from(COUNTRIES),
        "currency": st.sampled_from(["", *CURRENCIES]),
        "on_stripe": st.integers(0, 5).map(bool),
    }
)

# Customers there were, perhaps, when it began, whom nothing hit.
bystanders = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["active", "active", "canceled", "incomplete_expired"]),
        "began": st.sampled_from([-30, 0, 1]),
        "ended": st.sampled_from([None, None, 0, 1]),
    }
)


def some_of(each, most):
    """Mostly as many as can be, for many cases a world; a single one where that is enough."""
    sizes = st.sampled_from([1, *[most] * 19])
    return sizes.flatmap(lambda n: st.lists(each, min_size=n, max_size=n))


worlds = st.fixed_dictionaries(
    {
        "started": st.sampled_from(STARTS),
        "kind": st.sampled_from(["incident"] * 5 + ["maintenance"]),
        "outages": st.lists(outages, min_size=1, max_size=5),
        "others": st.lists(incidents, max_size=3),
        "customers": st.lists(customers, min_size=10, max_size=10),
        "bystanders": st.lists(bystanders, max_size=12),
        "exposures": some_of(exposures, 50),
        "versions": some_of(versions(), 5),
    }
)
