"""What a row gives, from the keys of a policy file."""

from dataclasses import dataclass
from decimal import Decimal

from compensation.models import Rule
from compensation.policy_files import wording
from compensation.policy_files.record import Record

STEPS = {"completed": "completed", "full": "completed", "started": "started"}
# The key of each kind of credit.
KINDS = {
    "credit_percent": Rule.Credit.PERCENT,
    "credit_multiple": Rule.Credit.TIME_MULTIPLE,
    "multiplier": Rule.Credit.TIME_MULTIPLE,
    "step_percent": Rule.Credit.STEP,
    "credit_hours": Rule.Credit.HOURS,
    "credit_amounts": Rule.Credit.FIXED,
    "credit_cents": Rule.Credit.FIXED,
    "credit_amount": Rule.Credit.FIXED,
}
DAYS = ("credit_days", "trial_days", "priority_days")
FULL = Decimal(100)
# Of common tables: 28 days, 30 days, a twelfth of a year.
USUAL_MONTHS = (672, 720, 730)
SHORTEST_MONTH, LONGEST_MONTH = 28 * 24, 31 * 24


@dataclass(frozen=True)
class Whole:
    """What the rows share: the policy's own keys and prose, and its currency."""

    record: Record
    currency: str
    threshold: Decimal | None
    fee_hours: int | None
    counts_beyond: bool
    step_counts: str

    @classmethod
    def of(cls, record: Record, currency: str, threshold: Decimal | None) -> "Whole":
        model = record.text("model", longest=200).lower()
        notes, ambiguity = record.text("notes"), record.text("ambiguity")
        said = wording.started_or_completed(model, notes, ambiguity)
        if said is None and not record.has("step_counts") and record.has("step_minutes"):
            said = record.notes.choose("step_counts", "completed", "started")
        return cls(
            record, currency, threshold,
            fee_hours=_fee_hours(record, f"{notes} {ambiguity}"),
            counts_beyond=_counts_beyond(record, threshold, model, notes),
            step_counts=record.choice("step_counts", STEPS, said or "completed"),
        )  # fmt: skip


def _counts_beyond(record: Record, threshold: Decimal | None, model: str, notes: str) -> bool:
    """Whether intervals are those beyond what the threshold allows, or all once it is missed."""
    if wording.counts_beyond(model, notes):
        return True
    is_open = threshold is not None and threshold != FULL and record.has("step_minutes")
    if not is_open or _has_allowance(record):
        return False
    taken: str = record.notes.choose("intervals_of", "downtime_beyond", "all_downtime")
    return taken == "downtime_beyond"


def gives_something(record: Record) -> bool:
    return any(record.has(key) for key in (*KINDS, *DAYS))


def read_credit(rule: Rule, record: Record, whole: Whole) -> None:
    """Set the row's credit and days; what the row does not say itself, the policy says."""
    source = record if gives_something(record) else whole.record
    given = [key for key in KINDS if source.has(key)]
    if len(given) > 1:
        source.wrong(given[1], f"{given[0]} is a credit already: give each its own row.")
    elif given:
        rule.credit = KINDS[given[0]]
        _read_value(rule, source, given[0], whole)
    days = [source.whole(key, most=36_500) or 0 for key in DAYS]
    rule.trial_days, rule.priority_days = days[0] + days[1], days[2]
    if not gives_something(source):
        record.notes.problems.append(
            f"{record.place}: it gives nothing: say {', '.join((*KINDS, *DAYS))}."
        )


def _read_value(rule: Rule, source: Record, key: str, whole: Whole) -> None:
    if rule.credit == Rule.Credit.FIXED:
        rule.credit_amounts = source.amounts("credit", whole.currency)
        return
    rule.credit_value = source.number(key, places=4, digits=10)
    if rule.credit == Rule.Credit.STEP:
        _read_step(rule, source, whole)
    elif rule.credit == Rule.Credit.HOURS:
        rule.fee_hours = whole.fee_hours


def _read_step(rule: Rule, source: Record, whole: Whole) -> None:
    own = source if source.has("step_minutes") else whole.record
    rule.step_minutes = own.number("step_minutes", places=3, digits=9, least=Decimal("0.001"))
    if rule.step_minutes is None and not own.has("step_minutes"):
        own.wrong("step_minutes", "say how long an interval is, in minutes.")
    rule.step_counts = source.choice("step_counts", STEPS, whole.step_counts)
    beyond = source if _has_allowance(source) else whole.record
    if beyond.has("allowance_minutes") and beyond.has("allowance_uptime"):
        beyond.wrong("allowance_uptime", "allowance_minutes says it: leave one of them out.")
    rule.allowance_minutes = beyond.number("allowance_minutes", places=3, digits=12)
    rule.allowance_uptime = beyond.number("allowance_uptime", places=6, digits=9, most=100)
    if not _has_allowance(beyond) and whole.counts_beyond:
        rule.allowance_uptime = whole.threshold


def _has_allowance(record: Record) -> bool:
    return record.has("allowance_minutes") or record.has("allowance_uptime")


def _fee_hours(record: Record, prose: str) -> int | None:
    """The hours that a month's fee pays for; None: those of the calendar month.

    By `fee_hours`; else by the prose ("monthly/672"); else the longest credit of hours where it is
    about a month long and the cap is the whole fee, for then it is "one month".
    """
    for key in ("fee_hours", "hours_per_month"):
        if record.has(key):
            return record.whole(key, least=1)
    said = wording.hours_of_month(prose)
    if said is not None:
        return said
    hours = [row.get("credit_hours") for row in _plain_rows(record)]
    longest = max((h for h in hours if type(h) is int), default=0)
    is_whole_fee = str(record.data.get("cap_percent")) in {"100", "100.0"}
    is_month = SHORTEST_MONTH <= longest <= LONGEST_MONTH
    if not longest:
        return None
    usual = longest if is_month and is_whole_fee else None
    found: int | None = record.notes.choose("fee_hours", usual, None, *USUAL_MONTHS)
    return found


def _plain_rows(record: Record) -> list[dict[str, object]]:
    rows = record.data.get("tiers") or record.data.get("rows") or []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
