"""What tests of the policy editor share: the form's fields as a browser would send them."""

from django.urls import reverse

TERMS = {
    "fee_period": "month", "hit_policy": "first", "partial_weight": "1", "cap_percent": "",
    "cap_amounts": "", "minimum_amounts": "", "rounding": "half_up", "change_note": "",
    "basis": "incident", "fee_base": "period", "shortest_minutes": "", "interval_minutes": "",
    "interval_rounding": "completed", "uptime_decimals": "", "uptime_rounding": "half_up",
    "affected_share": "", "cap_days": "", "claim_days": "", "claim_window": "",
    "holdout_percent": "",
}  # fmt: skip
ROW = {
    "plans": "", "countries": "", "segments": "", "statuses": "", "tenure_months_from": "",
    "tenure_months_to": "", "uptime_from": "", "uptime_from_inclusive": "True", "uptime_to": "",
    "uptime_to_inclusive": "False", "minutes_from": "", "minutes_from_inclusive": "True",
    "minutes_to": "", "minutes_to_inclusive": "False", "condition": "", "credit": "",
    "credit_value": "", "credit_amounts": "", "trial_days": "0", "priority_days": "0", "label": "",
    "step_minutes": "", "step_counts": "completed", "allowance_minutes": "",
    "allowance_uptime": "", "fee_hours": "",
}  # fmt: skip
EXAMPLE = {
    "label": "", "fee": "EUR 499.00", "minutes": "60", "starts_on": "2026-09", "expected": "49.90",
    "plan": "", "country": "", "segment": "", "tenure_months": "", "impact": "major",
    "share_percent": "", "period_minutes": "",
}  # fmt: skip


def url(name, row):
    return reverse(f"admin:compensation_{name}", args=[row.pk])


def posted(*rows, initial=0, examples=(), initial_examples=0, **terms):
    """The whole form: `rows` and `examples` say only what differs from an empty row."""
    return {
        **TERMS, **terms,
        **_table("rules", ROW, rows, initial),
        **_table("examples", EXAMPLE, examples, initial_examples),
    }  # fmt: skip


def _table(prefix, empty, rows, initial):
    data = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for index, row in enumerate(rows):
        filled = empty | {"order": index + 1} | row
        data |= {f"{prefix}-{index}-{name}": value for name, value in filled.items()}
    return data
