"""A row's bounds of uptime and downtime, from the words of a policy file."""

from decimal import Decimal

from compensation.models import Rule
from compensation.policy_files.record import Record

# A row's words for bounds: which bound, and whether it counts itself.
ENDS = {
    "below": ("to", False),
    "at_most": ("to", True),
    "at_least": ("from", True),
    "above": ("from", False),
    # As tables of whole minutes and percents are written.
    "from": ("from", True),
    "to": ("to", None),
}
# Names of what is bounded: the field, and how many of its units one of theirs is.
NAMES = {
    "uptime": ("uptime", 1),
    "minutes": ("minutes", 1),
    "outage_minutes": ("minutes", 1),
    "downtime_minutes": ("minutes", 1),
    "outage_hours": ("minutes", 60),
    "downtime_hours": ("minutes", 60),
}
DIGITS = {"uptime": (6, 9), "minutes": (3, 12)}


def read_bounds(rule: Rule, record: Record) -> None:
    """Set the row's bounds: uptime in percent, downtime in minutes."""
    taken: dict[str, str] = {}
    for name, (field, unit) in NAMES.items():
        for word, (end, counts) in ENDS.items():
            key = f"{name}_{word}"
            value = _value(record, key, field)
            if value is None:
                continue
            target = f"{field}_{end}"
            if target in taken:
                record.wrong(key, f"{taken[target]} bounds it already: leave one of them out.")
                continue
            taken[target] = key
            setattr(rule, target, value * unit)
            # "up to 9" minutes counts 9 itself, "99 to 99.9 %" leaves 99.9 out.
            setattr(rule, f"{target}_inclusive", field == "minutes" if counts is None else counts)
    _check_order(rule, record)


def _value(record: Record, key: str, field: str) -> Decimal | None:
    places, digits = DIGITS[field]
    most = 100 if field == "uptime" else None
    return record.number(key, places=places, digits=digits, most=most)


def _check_order(rule: Rule, record: Record) -> None:
    for field in DIGITS:
        low, high = getattr(rule, f"{field}_from"), getattr(rule, f"{field}_to")
        if low is not None and high is not None and low > high:
            record.notes.problems.append(
                f"{record.place}: {field}: nothing lies from {low} to {high}: change the two."
            )


def close_whole_minutes(rules: list[Rule]) -> None:
    """Take 1 to 9 before 10 to 59 for below 10: between two whole minutes there is no hole."""
    begins = {rule.minutes_from for rule in rules if rule.minutes_from is not None}
    for rule in rules:
        end = rule.minutes_to
        if end is None or not rule.minutes_to_inclusive or end != int(end):
            continue
        if end + 1 in begins and end not in begins:
            rule.minutes_to, rule.minutes_to_inclusive = end + 1, False
