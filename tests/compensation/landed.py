"""Terms that pricing does not know yet, and worlds without them."""

# By the names of their fields; credits and the period of an outage by their values.
PENDING = frozenset(
    {
        "fee_base", "basis", "shortest_minutes", "interval_minutes", "uptime_decimals",
        "affected_share", "cap_days", "holdout_percent", "step", "hours", "outage", "bounded",
    }
)  # fmt: skip
OFF = {
    "fee_base": "period",
    "basis": "incident",
    "shortest_minutes": None,
    "interval_minutes": None,
    "uptime_decimals": None,
    "affected_share": "",
    "cap_days": None,
    "holdout_percent": 0,
}


def landed(world):
    """The same without what is pending."""
    return world | {"versions": [_version(*each) for each in world["versions"]]}


def _version(terms, table):
    off = {name: value for name, value in OFF.items() if name in PENDING}
    terms = terms | off
    if terms["fee_period"] == "outage" and "outage" in PENDING:
        terms |= {"fee_period": "month"}
    return terms, [_rule(rule) for rule in table]


def _rule(rule):
    if rule["credit"] in PENDING:
        rule = {name: value for name, value in rule.items() if name not in STEP}
        rule["credit"] = "percent"
    if "bounded" in PENDING:
        # downtime in minutes, bounded by the period
        for name in ("minutes_from", "minutes_to"):
            if rule[name] is not None and rule[name] > 40_000:
                rule |= {"minutes_from": None, "minutes_to": None}
    return rule


STEP = {
    "step_minutes", "step_counts", "allowance_minutes", "allowance_uptime", "fee_hours",
}  # fmt: skip
