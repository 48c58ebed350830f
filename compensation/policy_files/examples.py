"""The worked examples of a policy file."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from compensation.models import PolicyExample, PolicyVersion, Rule
from compensation.policy_files.record import Record
from compensation.policy_files.terms import LONG
from incidents.models import Outage

_Period = PolicyVersion.FeePeriod
# A calendar period of each length, in minutes.
MONTHS = {40_320: date(2026, 2, 1), 41_760: date(2028, 2, 1), 43_200: date(2026, 4, 1),
          44_640: date(2026, 10, 1)}  # fmt: skip
QUARTERS = {129_600: date(2026, 1, 1), 131_040: date(2026, 4, 1), 132_480: date(2026, 7, 1)}
YEARS = {525_600: date(2026, 1, 1), 527_040: date(2028, 1, 1)}
CALENDARS = {_Period.MONTH: MONTHS, _Period.OUTAGE: MONTHS, _Period.QUARTER: QUARTERS,
             _Period.YEAR: YEARS}  # fmt: skip
USUAL = {_Period.YEAR: date(2026, 1, 1)}
USUAL_START = date(2026, 4, 1)
IMPACTS = {"major": Outage.Impact.MAJOR, "partial": Outage.Impact.PARTIAL}
EXPECTED = ("expected_credit_cents", "expected_days", "expected_credit_hours")
HARMLESS = frozenset({"note", "notes", "comment", "uptime_percent", "expected_credit_hours"})
YEARS_TAKEN = range(2000, 2101)
MOST_OUTAGES = 1000
# Published uptimes are rounded to six decimals.
UPTIME_OFF = Fraction(1, 1_000_000)
SECOND = Decimal(60)


def examples_of(
    record: Record, version: PolicyVersion, rules: list[Rule], currency: str
) -> list[PolicyExample]:
    """The examples in order, not saved."""
    return [
        _example(one, n, version, rules, currency)
        for n, one in enumerate(record.records("worked_examples"), start=1)
    ]


def _example(
    record: Record, position: int, version: PolicyVersion, rules: list[Rule], currency: str
) -> PolicyExample:
    length = record.whole("period_minutes", least=1)
    starts_on, own_length = _period(record, version.fee_period, length)
    code = record.text("currency", longest=3) or currency
    record.is_currency("currency", code)
    example = PolicyExample(
        position=position, label=record.text("label", longest=200), currency=code,
        plan=record.text("plan", longest=100), country=record.text("country", longest=2),
        segment=record.text("segment", longest=50),
        tenure_months=record.whole("tenure_months", most=1200),
        minutes=_minutes(record, starts_on, own_length, version),
        impact=record.choice("impact", IMPACTS, Outage.Impact.MAJOR),
        share_percent=record.number("share_percent", places=3, digits=6, most=100),
        starts_on=starts_on, period_minutes=own_length,
        fee_minor=_fee(record, version) or 0,
    )  # fmt: skip
    _read_expected(example, record, rules)
    record.warn_of_unread(HARMLESS)
    return example


def _period(record: Record, fee_period: str, length: int | None) -> tuple[date, int | None]:
    """When the period begins, and its length in minutes unless the calendar says it."""
    usual = USUAL.get(_Period(fee_period), USUAL_START)
    starts_on = usual
    if said := record.text("starts_on", longest=10):
        try:
            starts_on = date.fromisoformat(said)
        except ValueError:
            record.wrong("starts_on", "write a day such as 2026-04-01.")
        if starts_on.year not in YEARS_TAKEN:
            record.wrong("starts_on", "write a day from 2000 to 2100.")
            starts_on = usual
        return starts_on, length
    calendar = CALENDARS.get(_Period(fee_period), {})
    if length in calendar:
        return calendar[length], None
    return starts_on, length


def _minutes(
    record: Record, starts_on: date, length: int | None, version: PolicyVersion
) -> list[Decimal]:
    """The lengths of the outages: one number, or a list."""
    if isinstance(record.data.get("downtime_minutes"), list):
        outages = record.value("downtime_minutes")
        if len(outages) > MOST_OUTAGES:
            record.wrong("downtime_minutes", f"at most {MOST_OUTAGES:,} outages are possible.")
            return []
        parts = [Record({"minutes": one}, f"{record.place}, downtime_minutes[{n}]", record.notes)
                 for n, one in enumerate(outages, start=1)]  # fmt: skip
        return [_whole_seconds(one, "minutes") for one in parts]
    if not record.has("downtime_minutes"):
        record.wrong("downtime_minutes", "say how many minutes it was down.")
        return []
    minutes = _whole_seconds(record, "downtime_minutes")
    _check_uptime(record, minutes)
    return [minutes]


def _whole_seconds(record: Record, key: str) -> Decimal:
    """Downtime is kept in seconds."""
    minutes = record.number(key, places=3, digits=9)
    if minutes is None:
        if key not in record.data or record.data[key] is None:
            record.wrong(key, "say how many minutes it was down.")
        return Decimal(0)
    if minutes * SECOND != int(minutes * SECOND):
        record.wrong(key, "whole seconds are counted: 0.5 minutes, but not 0.51.")
    return minutes


def _check_uptime(record: Record, minutes: Decimal) -> None:
    """A stated uptime that minutes and period do not give is a slip of the pen in one of them."""
    stated = record.number("uptime_percent", places=12, digits=15, most=100)
    length = record.whole("period_minutes", least=1)
    if stated is None or length is None:
        return
    down = min(Fraction(minutes), Fraction(length))
    if abs(100 * (1 - down / length) - Fraction(stated)) > UPTIME_OFF:
        record.notes.warnings.append(
            f"{record.place}: uptime_percent: {stated} is not what {minutes} of {length} minutes "
            "give: look which is right. The minutes are taken."
        )


def _fee(record: Record, version: PolicyVersion) -> int | None:
    """A month's fee; where only the period's is given, its part."""
    fee, of_period = record.minor("monthly_fee_cents"), record.minor("period_fee_cents")
    months = LONG.get(_Period(version.fee_period), 1)
    if of_period is None:
        return fee
    if fee is None:
        if of_period % months:
            record.wrong(
                "period_fee_cents", f"say monthly_fee_cents: it is no multiple of {months}."
            )
        return of_period // months
    counted = months if version.fee_base == PolicyVersion.FeeBase.PERIOD else 1
    if of_period != fee * counted:
        record.wrong(
            "period_fee_cents",
            f"it contradicts monthly_fee_cents, of which it would be {fee * counted}: say by "
            "fee_base whether credits are counted from the fee of a month or of the period.",
        )
    return fee


def _read_expected(example: PolicyExample, record: Record, rules: list[Rule]) -> None:
    """A credit or days; null where the text does not say."""
    if not any(key in record.data for key in EXPECTED):
        record.notes.problems.append(
            f"{record.place}: expected_credit_cents: say what is due, or null where the published "
            "text does not say."
        )
        return
    example.expected_minor = record.minor("expected_credit_cents")
    example.expected_days = record.whole("expected_days")
    if example.expected_minor is not None and example.expected_days is not None:
        record.wrong("expected_days", "expect a credit or days of service, not both.")
    if not {"expected_credit_cents", "expected_days"} & set(record.data):
        _expect_hours(example, record, rules)
    if example.expected_minor and not example.fee_minor and _needs_fee(rules):
        record.wrong("monthly_fee_cents", "say the month's fee that the credit is a part of.")


def _expect_hours(example: PolicyExample, record: Record, rules: list[Rule]) -> None:
    """Hours of the fee as an amount; without a fee, one is made up that hours come out of whole."""
    hours = record.number("expected_credit_hours", places=4, digits=10)
    if hours is None:
        return
    stated = next((rule.fee_hours for rule in rules if rule.fee_hours), None)
    of_month = stated or (example.period_minutes or _length_of(example)) // 60
    if not example.fee_minor:
        example.fee_minor = of_month * 100
    exact = hours * example.fee_minor / of_month
    example.expected_minor = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _length_of(example: PolicyExample) -> int:
    lengths = {start: length for length, start in MONTHS.items()}
    return lengths.get(example.starts_on, 43_200)


def _needs_fee(rules: list[Rule]) -> bool:
    return not any(rule.credit == Rule.Credit.FIXED for rule in rules)
