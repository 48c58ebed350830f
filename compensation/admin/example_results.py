"""What came out of the examples, as the page shows it beside each."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.money import format_money
from compensation import examples, wording
from compensation.examples import Result
from compensation.models import PolicyExample, PolicyVersion
from compensation.pricing.terms import MINUTE_MS


@dataclass(frozen=True)
class Shown:
    """One result in words: what came out, whether that was expected, and why it came out."""

    position: int
    is_exact: bool
    came_out: str
    expected: str
    why: str
    minutes: str
    example: PolicyExample

    @classmethod
    def of(cls, result: Result) -> "Shown":
        return cls(
            position=result.example.position,
            is_exact=result.is_exact,
            came_out=_amount(result, result.got_minor, result.got_days),
            expected=expected(result.example),
            why=_why(result),
            minutes=" + ".join(wording.number(one) for one in result.example.minutes),
            example=result.example,
        )


def show_examples(version: PolicyVersion) -> list[Shown]:
    """The saved examples with what came out; empty where a row cannot be understood."""
    try:
        return [Shown.of(result) for result in examples.run_examples(version)]
    except ValidationError:
        return []


def tally(shown: Iterable[Shown]) -> dict[str, int]:
    """How many came out as expected, and how many did not."""
    right = [one.is_exact for one in shown]
    return {"exact": sum(right), "differing": len(right) - sum(right)}


def expected(example: PolicyExample) -> str:
    if example.expected_days is not None:
        return _days(example.expected_days)
    if example.expected_minor is None:
        return _("not said")
    return format_money(example.expected_minor, example.currency)


def _amount(result: Result, minor: int, days: int) -> str:
    if result.example.expected_days is not None and not minor:
        return _days(days)
    money = format_money(minor, result.example.currency)
    return f"{money}, {_days(days)}" if days else money


def _days(days: int) -> str:
    return ngettext("{n} day", "{n} days", days).format(n=days)


def _why(result: Result) -> str:
    """By which rows, and what they compared."""
    said = []
    if result.rules:
        positions = ", ".join(str(position) for position in result.rules)
        said.append(ngettext("row {rows}", "rows {rows}", len(result.rules)).format(rows=positions))
    else:
        said.append(_("no row fits"))
    if result.expects_nothing_said:
        said.append(
            _("a hole, as the text has it")
            if result.hole
            else _("but there is no hole: say what is due")
        )
    uptime = (Decimal(result.uptime.numerator) / Decimal(result.uptime.denominator)).quantize(
        Decimal("0.000001"), rounding=ROUND_FLOOR
    )
    minutes = Decimal(int(result.downtime_ms)) / MINUTE_MS
    said.append(
        _("{uptime} % uptime, {minutes} of {period} min out").format(
            uptime=wording.number(uptime),
            minutes=wording.number(minutes.quantize(Decimal("0.001"))),
            period=f"{result.period_ms // MINUTE_MS:,}",
        )
    )
    return "; ".join(said)
