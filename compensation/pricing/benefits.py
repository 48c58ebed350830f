"""What the rows promise that an exposure fits, as whole numbers that can be added up.

`percent`  of the fee, in ten-thousandths of a percent; steps are brought to it
`lost`     parts of a millisecond to be paid for, times the multiple in ten-thousandths
`hours`    of a month's fee, in the parts that `amounts.credit` knows
`fixed`    in minor units; `days` of service and `priority_days` in days
"""

from compensation.models import Rule
from compensation.pricing import amounts
from compensation.pricing.exposed import COLUMNS
from compensation.pricing.terms import MINUTE_MS, Terms

# An allowance as uptime has six decimals of a percent.
SHARE_SCALE = 10**8
SUMS = ("percent", "lost", "hours", "fixed", "days", "priority_days")
# The columns of `exposed` that are the same for all outages of an exposure.
ONE_FOR_ALL = (
    "id", "cohort_id", "customer_id", "subscription_id", "major", "partial", "period_start",
    "period_end", "period_ms", "period_months", *COLUMNS,
)  # fmt: skip


def first_row(terms: Terms) -> str:
    """`exposed` with what the row promises that fits first."""
    constants = [_constants(terms, rule) for rule in terms.rules]
    rows = ", ".join(
        f"({rule.position}::smallint, {', '.join(map(str, values.values()))})"
        for rule, values in zip(terms.rules, constants, strict=True)
    )
    promised = _promised(terms, {name: f"r.{name}" for name in constants[0]})
    fixed = _fixed_amounts(terms)
    if fixed:
        promised["fixed"] = "COALESCE(f.amount, 0)"
    named = ", ".join(f"{_typed(name, sql)} AS {name}" for name, sql in promised.items())
    return f"""
        SELECT e.*, ARRAY[r.position] AS rules, {named}
        FROM exposed e JOIN (VALUES {rows}) r (position, {", ".join(constants[0])})
            ON r.position = e.rule {fixed}
    """


def added_up(terms: Terms) -> str:
    """A sum over the rows, each counted where its position is among those that fit."""
    # Typed from the first on, since the sum of two whole numbers may not fit where each does.
    sums = {name: [_typed(name, "0")] for name in SUMS}
    for rule in terms.rules:
        promised = _promised(terms, {n: str(v) for n, v in _constants(terms, rule).items()})
        if rule.credit == Rule.Credit.FIXED and rule.credit_amounts:
            promised["fixed"] = f"COALESCE({amounts.of_currency(rule.credit_amounts)}, 0)"
        for name, sql in promised.items():
            if sql != "0":
                fits = f"{rule.position} = ANY (e.rules)"
                sums[name].append(f"CASE WHEN {fits} THEN {sql} ELSE 0 END")
    added = ", ".join(f"{' + '.join(parts)} AS {name}" for name, parts in sums.items())
    return f"""
        SELECT e.*, {added} FROM (SELECT * FROM exposed OFFSET 0) e WHERE e.rules <> '{{}}'
    """


def of_all_outages(rows: str, *, is_held_out: bool) -> str:
    """One row an exposure: what its outages promise, each priced by itself, added up.

    `rules` are the positions that one or another outage fits, in order.
    """
    same = ", ".join([*ONE_FOR_ALL, *(["reference"] if is_held_out else [])])
    sums = ", ".join(f"{_typed(name, f'sum({name})')} AS {name}" for name in SUMS)
    added = f"""
        SELECT {same}, (array_agg(facts))[1] AS facts, sum(downtime) AS downtime, {sums},
            string_agg(array_to_string(rules, ','), ',') AS positions
        FROM ({rows}) r GROUP BY {same}
    """
    positions = "SELECT DISTINCT unnest(string_to_array(positions, ',')::smallint[]) ORDER BY 1"
    return f"SELECT a.*, ARRAY({positions}) AS rules FROM ({added}) a"


def _constants(terms: Terms, rule: Rule) -> dict[str, int]:
    """What does not depend on the exposure, and only what the version's credits need."""
    value = int((rule.credit_value or 0) * amounts.RATE_SCALE)
    kinds = Rule.Credit
    found = {"percent": value if rule.credit == kinds.PERCENT else 0}
    if terms.uses(kinds.TIME_MULTIPLE):
        found["multiple"] = value if rule.credit == kinds.TIME_MULTIPLE else 0
    if terms.uses(kinds.HOURS):
        found["hours"] = value * amounts.hour_parts(terms, rule)
    if terms.uses(kinds.STEP):
        found |= _step(terms, rule, value)
    return found | {"days": rule.trial_days, "priority_days": rule.priority_days}


def _step(terms: Terms, rule: Rule, value: int) -> dict[str, int]:
    """Lengths in parts of a millisecond, times what makes the allowance's share whole."""
    if rule.credit != Rule.Credit.STEP:
        return {"step": 0, "step_length": 1, "step_up": 0, "allowed": 0, "allowed_share": 0}
    unit = MINUTE_MS * terms.scale * SHARE_SCALE
    length = int((rule.step_minutes or 1) * unit)
    is_started = rule.step_counts == Rule.Step.STARTED
    share = 0 if rule.allowance_uptime is None else 100 - rule.allowance_uptime
    return {
        "step": value,
        "step_length": length,
        "step_up": length - 1 if is_started else 0,
        "allowed": int((rule.allowance_minutes or 0) * unit),
        "allowed_share": int(share * SHARE_SCALE) // 100,
    }


def _promised(terms: Terms, constants: dict[str, str]) -> dict[str, str]:
    """The sums of one row, from its constants and from `exposed e`."""
    found = dict.fromkeys(SUMS, "0")
    found |= {name: sql for name, sql in constants.items() if name in SUMS}
    whole = f"e.period_ms * {terms.scale}::numeric"
    lost = f"LEAST(e.downtime, {whole})"
    if constants.get("multiple", "0") != "0":
        found["lost"] = f"{constants['multiple']} * {lost}"
    if constants.get("step", "0") != "0":
        beyond = f"{lost} * {SHARE_SCALE} - {constants['allowed']}"
        beyond = f"GREATEST({beyond} - {whole} * {constants['allowed_share']}, 0)"
        count = f"div({beyond} + {constants['step_up']}, {constants['step_length']})"
        found["percent"] = f"{found['percent']} + {constants['step']} * {count}"
    return found


def _typed(name: str, sql: str) -> str:
    """Fees times these are beyond 64 bits; numbers of days are not."""
    return f"({sql})::numeric" if name in {"percent", "lost", "hours"} else f"({sql})::bigint"


def _fixed_amounts(terms: Terms) -> str:
    """A join to the fixed amounts, by row and currency; a currency not listed gets nothing."""
    rows = ", ".join(
        f"({rule.position}, '{amounts.code(currency)}', {int(amount)})"
        for rule in terms.rules
        if rule.credit == Rule.Credit.FIXED
        for currency, amount in rule.credit_amounts.items()
    )
    if not rows:
        return ""
    return f"""LEFT JOIN (VALUES {rows}) f (position, currency, amount)
        ON f.position = r.position AND f.currency = e.currency"""
