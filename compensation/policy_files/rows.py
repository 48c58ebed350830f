"""The rows of the table, from whatever a policy file gives: rows, tiers, bands or one formula."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations

from backoffice.customers.conditions import ConditionError, parse_condition
from compensation.coverage import AXES, Range, span
from compensation.models import PolicyVersion, Rule
from compensation.policy_files.bounds import close_whole_minutes, read_bounds
from compensation.policy_files.credits import Whole, gives_something, read_credit
from compensation.policy_files.record import Record

# Those who write rows may also say who they are for.
LISTS = {"plans": 100, "countries": 2, "segments": 50, "statuses": 20}
THRESHOLDS = {"threshold": False, "threshold_below": False, "threshold_at_most": True}
ROW_HARMLESS = frozenset({"note", "notes", "comment", "description"})
LONGEST_TABLE = 500


def rules_of(record: Record, version: PolicyVersion, currency: str) -> list[Rule]:
    """The rows in order, not saved.

    `rows` stand as they are written. Of `tiers` and `bands` the highest credit wins where several
    fit, so they are put in that order where they overlap.
    """
    threshold, counts_itself = _threshold(record)
    whole = Whole.of(record, currency, threshold)
    kinds = [key for key in ("rows", "tiers", "bands") if record.data.get(key)]
    if len(kinds) > 1:
        record.wrong(kinds[1], f"{kinds[0]} is the table already: leave one of them out.")
    written = [_rule(one, whole) for one in record.records("rows")]
    tiers = [_rule(one, whole) for one in record.records("tiers")] or _bands(record)
    if not (written or tiers):
        tiers = [_formula(record, whole)]
    if len(written) + len(tiers) > LONGEST_TABLE:
        record.wrong(kinds[0], f"at most {LONGEST_TABLE} rows are possible.")
    close_whole_minutes(tiers)
    if version.hit_policy == PolicyVersion.HitPolicy.FIRST:
        tiers = _highest_first(_without_nothing(tiers))
    rules = written or tiers
    for position, rule in enumerate(rules, start=1):
        rule.position = position
        _apply_threshold(rule, threshold, counts_itself=counts_itself)
    return rules


def _threshold(record: Record) -> tuple[Decimal | None, bool]:
    """Uptime below which something is due, and whether it is due at exactly that, too."""
    given = [key for key in THRESHOLDS if record.has(key)]
    if len(given) > 1:
        record.wrong(given[1], f"{given[0]} stands there too: leave one of them out.")
    counts_itself = record.flag("threshold_inclusive")
    for key in given:
        value = record.number(key, places=6, digits=9, most=100)
        return value, counts_itself or THRESHOLDS[key]
    return None, counts_itself


def _apply_threshold(rule: Rule, threshold: Decimal | None, *, counts_itself: bool) -> None:
    """Downtime beyond an allowance is below the threshold anyway."""
    if threshold is None or rule.uptime_to is not None or rule.allowance_uptime == threshold:
        return
    rule.uptime_to, rule.uptime_to_inclusive = threshold, counts_itself


def _rule(record: Record, whole: Whole) -> Rule:
    label = record.text("name", longest=200) or record.text("label", longest=200)
    rule = Rule(label=label, condition=_condition(record))
    read_bounds(rule, record)
    read_credit(rule, record, whole)
    for name, longest in LISTS.items():
        setattr(rule, name, record.words(name, longest=longest))
    rule.tenure_months_from = record.whole("tenure_months_from")
    rule.tenure_months_to = record.whole("tenure_months_to")
    record.warn_of_unread(ROW_HARMLESS)
    return rule


def _condition(record: Record) -> str:
    """Values that nobody has are lint's business: here it must only be readable."""
    condition = record.text("condition", longest=2000)
    try:
        parse_condition(condition, check_values=False)
    except ConditionError as error:
        record.wrong("condition", " ".join(error.messages))
    return condition


def _formula(record: Record, whole: Whole) -> Rule:
    """One row for a policy whose own keys say what is given."""
    rule = Rule()
    if not gives_something(record):
        record.notes.problems.append(
            f"{record.place}: tiers: there is no table: say tiers, rows, bands, multiplier or "
            "step_percent."
        )
        return rule
    read_bounds(rule, record)
    read_credit(rule, record, whole)
    return rule


def _bands(record: Record) -> list[Rule]:
    """[[limit, percent], ..., [null, percent]]: downtime below each limit, in minutes."""
    bands, last = record.value("bands"), Decimal(0)
    includes = record.flag("limits_inclusive")
    if bands is None:
        return []
    if not isinstance(bands, list):
        record.wrong("bands", "write a list of [minutes, percent].")
        return []
    rules = []
    for n, band in enumerate(bands, start=1):
        one = _band(record, n, band)
        if one is None:
            return []
        limit, percent = one.number("limit", places=3, digits=12), _percent(one)
        if (limit is None and n < len(bands)) or (limit is not None and limit <= last):
            one.wrong("limit", "limits rise from band to band, and only the last one is null.")
            return []
        rules.append(
            Rule(
                credit=Rule.Credit.PERCENT, credit_value=percent,
                minutes_from=last or None, minutes_from_inclusive=not includes,
                minutes_to=limit, minutes_to_inclusive=includes,
            )
        )  # fmt: skip
        last = limit or last
    return rules


def _band(record: Record, n: int, band: object) -> Record | None:
    if not isinstance(band, list) or len(band) != 2:  # noqa: PLR2004 - a limit and a percentage
        record.wrong("bands", f"band {n}: write [minutes, percent].")
        return None
    return Record(
        {"limit": band[0], "percent": band[1]}, f"{record.place}, bands[{n}]", record.notes
    )


def _percent(one: Record) -> Decimal | None:
    percent = one.number("percent", places=4, digits=10)
    if percent is None and not one.has("percent"):
        one.wrong("percent", "say how much, in percent.")
    return percent


def _gives(rule: Rule) -> Decimal:
    """How much, to be compared with rows of the same kind."""
    fixed: int = sum(rule.credit_amounts.values())
    return Decimal(rule.credit_value or 0) + fixed + rule.trial_days


def _without_nothing(rules: list[Rule]) -> list[Rule]:
    """Without rows of 0 % where little is out of order: nothing is due there anyway."""
    best = [
        rule
        for rule in rules
        if _gives(rule) or rule.priority_days or not _touches_the_good_end(rule)
    ]
    return best or rules


def _touches_the_good_end(rule: Rule) -> bool:
    by_minutes = rule.minutes_to is not None and not rule.minutes_from
    by_uptime = rule.uptime_from is not None and rule.uptime_to in {None, Decimal(100)}
    return by_minutes or by_uptime


def _highest_first(rules: list[Rule]) -> list[Rule]:
    kinds = {(rule.credit, bool(rule.trial_days)) for rule in rules}
    if len(kinds) > 1 or not any(_overlap(a, b) for a, b in combinations(rules, 2)):
        return rules
    return sorted(rules, key=_gives, reverse=True)


def _overlap(a: Rule, b: Rule) -> bool:
    spans: Sequence[tuple[Range, Range]] = [(span(a, axis), span(b, axis)) for axis in AXES]
    return all(max(x.low, y.low) < min(x.high, y.high) for x, y in spans)
