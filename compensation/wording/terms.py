"""The terms around a version's table, to read."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compensation import wording
from compensation.models import PolicyVersion


def terms(version: PolicyVersion) -> list[tuple[str, str]]:
    """Label and value of each term; what nobody chose is left out unless money hangs on it."""
    said = [
        (_("Period"), str(version.get_fee_period_display())),
        (_("Which rows count"), str(version.get_hit_policy_display())),
        *_downtime(version),
        *_limits(version),
        (_("Rounding"), str(version.get_rounding_display())),
        *_promise(version),
    ]
    return [(label, value) for label, value in said if value]


def _downtime(version: PolicyVersion) -> list[tuple[str, str]]:
    shortest = interval = decimals = ""
    if version.shortest_minutes is not None:
        word = (
            _("longer than {n} minutes")
            if version.is_shortest_exclusive
            else _("{n} minutes and longer")
        )
        shortest = word.format(n=wording.number(version.shortest_minutes))
    if version.interval_minutes is not None:
        interval = _("whole {n} minutes, counted {how}").format(
            n=wording.number(version.interval_minutes), how=version.get_interval_rounding_display()
        )
    if version.uptime_decimals is not None:
        decimals = ngettext("{n} decimal, {how}", "{n} decimals, {how}", version.uptime_decimals)
        decimals = decimals.format(
            n=version.uptime_decimals, how=version.get_uptime_rounding_display()
        )
    return [
        (_("What is priced"), str(version.get_basis_display())),
        (_("Credits are counted from"), str(version.get_fee_base_display())),
        (_("Outages that count"), shortest),
        (_("Downtime in"), interval),
        (_("Uptime rounded to"), decimals),
        (
            _("Weighed"),
            str(version.get_affected_share_display()) if version.affected_share else "",
        ),
        (_("Weight of partial outages"), wording.number(version.partial_weight)),
        (_("Maintenance"), _("counts") if version.counts_maintenance else _("does not count")),
    ]


def _limits(version: PolicyVersion) -> list[tuple[str, str]]:
    least = wording.amounts(version.minimum_amounts)
    if least and version.is_minimum_exclusive:
        least = _("more than {amounts}").format(amounts=least)
    cap = version.cap_percent
    return [
        (_("At most"), "–" if cap is None else _("{n} % of the fee").format(n=wording.number(cap))),
        (_("At most, per customer"), wording.amounts(version.cap_amounts) or "–"),
        (_("At most, days of service"), str(version.cap_days or "")),
        (_("Least paid out"), least or "–"),
    ]


def _promise(version: PolicyVersion) -> list[tuple[str, str]]:
    claims = ""
    if version.claim_days is not None:
        claims = ngettext("{n} day", "{n} days", version.claim_days).format(n=version.claim_days)
    held_out = ""
    if version.holdout_percent:
        held_out = _("{n} % of customers").format(n=wording.number(version.holdout_percent))
    return [
        (_("Voluntary"), _("yes: a gift beyond the contract") if version.is_voluntary else ""),
        (_("Held out"), held_out),
        (_("Can be claimed for"), claims),
        (_("Claim window, as published"), version.claim_window),
    ]
