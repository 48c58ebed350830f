"""The terms around the table, in groups; what is seldom needed is folded, unless it is filled."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compensation.forms.fields import (
    AmountsField,
    Number,
    PlainDecimalField,
    dress,
    limit,
    plain,
)
from compensation.models import PolicyVersion

# Group, its fields, and those of them that stand behind "more". A pair stands on one line: its
# second field says how the first is meant.
GROUPS: list[tuple[Any, list[tuple[str, ...]], list[tuple[str, ...]]]] = [
    (
        gettext_lazy("What counts as downtime"),
        [("basis",), ("partial_weight",), ("counts_maintenance",)],
        [
            ("shortest_minutes", "is_shortest_exclusive"),
            ("interval_minutes", "interval_rounding"),
            ("affected_share",),
            ("uptime_decimals", "uptime_rounding"),
        ],
    ),
    (
        gettext_lazy("What it is counted from"),
        [("fee_period",), ("hit_policy",)],
        [("fee_base",)],
    ),
    (
        gettext_lazy("Limits and rounding"),
        [("cap_percent",), ("rounding",), ("minimum_amounts", "is_minimum_exclusive")],
        [("cap_amounts",), ("cap_days",)],
    ),
    (
        gettext_lazy("Voluntary, hold-out and claims"),
        [("claim_days",)],
        [("claim_window",), ("is_voluntary", "holdout_percent")],
    ),
]
LABELS: dict[str, Any] = {
    "basis": gettext_lazy("what is priced"),
    "partial_weight": gettext_lazy("weight of partial outages, 0 to 1"),
    "counts_maintenance": gettext_lazy("announced maintenance counts"),
    "shortest_minutes": gettext_lazy("shortest outage that counts, minutes"),
    "is_shortest_exclusive": gettext_lazy("only longer ones"),
    "interval_minutes": gettext_lazy("whole intervals of, minutes"),
    "interval_rounding": gettext_lazy("an interval counts"),
    "affected_share": gettext_lazy("weighed by who was hit"),
    "uptime_decimals": gettext_lazy("uptime rounded to decimals"),
    "uptime_rounding": gettext_lazy("rounded"),
    "fee_period": gettext_lazy("period"),
    "fee_base": gettext_lazy("fee"),
    "cap_percent": gettext_lazy("at most, % of the fee"),
    "cap_amounts": gettext_lazy("at most, per customer"),
    "cap_days": gettext_lazy("at most, days of service"),
    "minimum_amounts": gettext_lazy("least paid out"),
    "is_minimum_exclusive": gettext_lazy("only more than that"),
    "claim_days": gettext_lazy("days to claim"),
    "claim_window": gettext_lazy("claim window, as published"),
    "is_voluntary": gettext_lazy("voluntary: a gift, not owed"),
    "holdout_percent": gettext_lazy("held out, % of customers"),
    "change_note": gettext_lazy("what changed, and why"),
}
HELPS: dict[str, Any] = {
    "basis": gettext_lazy(
        "One incident by itself, or all of the period together less what was given for it."
    ),
    "partial_weight": gettext_lazy("1: as a full outage; 0.5: half; 0: not at all."),
    "counts_maintenance": gettext_lazy("Most promises leave it out."),
    "shortest_minutes": gettext_lazy("Shorter ones are nothing. Empty: every outage counts."),
    "interval_minutes": gettext_lazy("Each outage is brought to whole intervals. Empty: exact."),
    "affected_share": gettext_lazy("An outage that hits half counts half."),
    "uptime_decimals": gettext_lazy(
        "Before rows compare it: 2 makes 99.895 into 99.90. Empty: exact."
    ),
    "fee_period": gettext_lazy("Uptime, fee and caps are those of this period (UTC)."),
    "hit_policy": gettext_lazy("Rows are read from top to bottom."),
    "fee_base": gettext_lazy(
        "Some promise uptime of a year, but pay in percent of one month's fee."
    ),
    "cap_percent": gettext_lazy("The most that one subscription gets in a period. Empty: no cap."),
    "cap_amounts": gettext_lazy(
        "The most that one customer gets in a period: EUR 500, USD 600. Empty: no cap."
    ),
    "cap_days": gettext_lazy("The most days that one subscription gets in a period."),
    "minimum_amounts": gettext_lazy("Less than this is not paid: EUR 1, USD 1. Empty: all is."),
    "rounding": gettext_lazy("To the smallest amount of the currency, once, at the end."),
    "is_voluntary": gettext_lazy("Only of a gift may customers be held out."),
    "holdout_percent": gettext_lazy(
        "So many get nothing, chosen by a stable hash, to measure what the gift does. At most 50."
    ),
    "claim_days": gettext_lazy("After the incident. Empty: customers need not and cannot claim."),
    "claim_window": gettext_lazy("In the words of the published text, for the record."),
}


@dataclass(frozen=True)
class Group:
    """Terms that belong together, in pairs.

    `folded` are seldom needed; `is_open` where one of them says something, or something wrong.
    """

    name: str
    shown: list[list[Any]]
    folded: list[list[Any]]
    is_open: bool


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms around the table."""

    cap_amounts = AmountsField()
    minimum_amounts = AmountsField()
    cap_percent = plain(PolicyVersion._meta.get_field("cap_percent"))
    partial_weight = plain(PolicyVersion._meta.get_field("partial_weight"))
    shortest_minutes = plain(PolicyVersion._meta.get_field("shortest_minutes"))
    interval_minutes = plain(PolicyVersion._meta.get_field("interval_minutes"))
    holdout_percent = PlainDecimalField(
        required=False, min_value=0, max_value=50, max_digits=5, decimal_places=2
    )

    class Meta:
        model = PolicyVersion
        fields = (
            *(name for _name, shown, folded in GROUPS for pair in shown + folded for name in pair),
            "change_note",
        )
        widgets = {
            "change_note": forms.TextInput,
            "claim_window": forms.TextInput,
            "uptime_decimals": Number,
            "cap_days": Number,
            "claim_days": Number,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit(self, {"cap_days": 3650, "claim_days": 3650})
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.help_text = HELPS.get(name, "")
        dress(self)

    def clean_holdout_percent(self) -> Decimal:
        return self.cleaned_data["holdout_percent"] or Decimal(0)

    def clean(self) -> dict[str, Any]:
        """A contract holds nobody out; said at the field instead of by the constraint."""
        found = super().clean() or self.cleaned_data
        if found.get("holdout_percent") and not found.get("is_voluntary"):
            self.add_error(
                "holdout_percent",
                _("A contract is owed to all: hold nobody out of it, or mark it voluntary."),
            )
        return found

    def groups(self) -> Iterator[Group]:
        """The terms, in the order of the page."""
        for name, shown, folded in GROUPS:
            yield Group(
                name=str(name),
                shown=[[self[one] for one in pair] for pair in shown],
                folded=[[self[one] for one in pair] for pair in folded],
                is_open=any(self._says_something(one) for pair in folded for one in pair),
            )

    def _says_something(self, name: str) -> bool:
        if self.errors.get(name):
            return True
        field: Any = PolicyVersion._meta.get_field(name)
        usual = field.get_default()
        value = self[name].value()
        return str(value if value is not None else "") not in {str(usual or ""), str(usual), ""}
