"""What the prose of a published SLA says about its sums, where no key says it.

Only phrases that leave no doubt are taken; everything else is left to the keys and the examples.
"""

import re

_STARTED = re.compile(
    r"\bor (?:a |any )?(?:portion|part|fraction)s?(?: thereof| of)?\b|\bstarted\b|\bcommenced\b"
    r"|\bpart thereof\b|\bportion thereof\b",
    re.IGNORECASE,
)
_COMPLETED = re.compile(r"\bcompleted?\b|\bfull (?:hour|minute|interval|period)", re.IGNORECASE)
_EXAMPLES_USE = re.compile(r"examples use (started|completed)", re.IGNORECASE)
_BEYOND = re.compile(
    r"\bbeyond\b|\bin excess of\b|\bexceeding the (?:sla|allowance|guarantee)", re.IGNORECASE
)
_MONTH_HOURS = (
    re.compile(
        r"month(?:ly)?(?: fee| price| cost| charge| rate)?s?\"?\s*/\s*(\d{3})\b", re.IGNORECASE
    ),
    re.compile(r"\b(\d{3})\s*(?:h|hours)\b\s*=\s*\"?(?:1|one|a)\s*month", re.IGNORECASE),
    re.compile(r"\b(?:1|one|a)\s*month\"?\s*=\s*(\d{3})\s*(?:h|hours)\b", re.IGNORECASE),
    re.compile(r"\b(\d{3})[ -]?(?:h|hours?)[ -]month\b", re.IGNORECASE),
)
_DAYS = re.compile(r"\b(\d{1,3})\s+(?:calendar\s+)?days\b", re.IGNORECASE)
_OTHER_TIMES = re.compile(
    r"\b\d+\s*(?:h|hours?|weeks?|months?|business|working)\b|\bprocessed\b", re.IGNORECASE
)
# In this order: "half up" holds "up".
_ROUNDINGS = {
    "half_even": re.compile(r"half[-_ ]?(?:to[-_ ])?even|banker", re.IGNORECASE),
    "half_up": re.compile(r"half[-_ ]?up|commercial|nearest", re.IGNORECASE),
    "down": re.compile(r"\bdown|floor|truncat", re.IGNORECASE),
    "up": re.compile(r"\bup\b|ceil", re.IGNORECASE),
}
_OF_CENTS = re.compile(
    r"\b(?:round|truncat)\w*[^.;]{0,40}\b(?:cents?|penny|pence|minor units?)\b", re.IGNORECASE
)
LONGER_PERIOD = re.compile(r"quarter|year|annual|period", re.IGNORECASE)
MONTH = re.compile(r"month", re.IGNORECASE)


def started_or_completed(model: str, notes: str, ambiguity: str) -> str | None:
    """Whether an interval counts when it is started, or only when it is completed."""
    if "started" in model:
        return "started"
    if "completed" in model or "full" in model:
        return "completed"
    if found := _EXAMPLES_USE.search(ambiguity):
        return found[1].lower()
    if _STARTED.search(notes):
        return "started"
    return "completed" if _COMPLETED.search(notes) else None


def counts_beyond(model: str, notes: str) -> bool:
    """Whether only downtime beyond what the threshold allows counts."""
    return "beyond" in model or "excess" in model or bool(_BEYOND.search(notes))


def hours_of_month(text: str) -> int | None:
    """The hours that a month's fee pays for: "hourly price = monthly/672", "672 h = 1 month"."""
    for pattern in _MONTH_HOURS:
        if found := pattern.search(text):
            return int(found[1])
    return None


def rounding(text: str) -> str | None:
    """How amounts are rounded: "round half up", "banker's", "truncated"."""
    found = {word: pattern.search(text) for word, pattern in _ROUNDINGS.items()}
    return next((word for word, match in found.items() if match), None)


def rounding_of_cents(prose: str) -> str | None:
    """As `rounding`, where prose speaks of cents and not of uptime or minutes."""
    found = _OF_CENTS.search(prose)
    return rounding(found[0]) if found else None


def claim_days(text: str) -> int | None:
    """The days of a claim window, where it is said in days and nothing else."""
    found = _DAYS.findall(text)
    return int(found[0]) if len(found) == 1 and not _OTHER_TIMES.search(text) else None
