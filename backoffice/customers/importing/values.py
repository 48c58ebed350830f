"""One cell's text as a value of ours, or the reason why it is none."""

import functools
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from backoffice import money
from backoffice.customers.models import Subscription
from backoffice.customers.models.customer import Language

LONGEST_TENURE = 1200  # months
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
_EMAIL = EmailValidator()
_COUNTRIES = frozenset(
    code
    for code in map(str, Locale("en").territories)
    if len(code) == 2 and code.isalpha()  # noqa: PLR2004
) - {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
_INTERVALS = {
    **{interval.name.lower(): interval.value for interval in Subscription.Interval},
    **{str(interval.value): interval.value for interval in Subscription.Interval},
}
_WHOLE = re.compile(r"\d+", re.ASCII)
_DECIMAL = re.compile(r"\d+(\.\d+)?", re.ASCII)


class BadValueError(ValueError):
    """A cell that cannot be taken: why, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


def text(longest: int, *, is_required: bool = False) -> Callable[[str], str]:
    """A text of at most `longest` characters."""

    def read(cell: str) -> str:
        if is_required and not cell:
            raise BadValueError("is empty", "Fill it in.")
        if len(cell) > longest:
            raise BadValueError(f"has {len(cell)} characters", f"Use at most {longest}.")
        if "\0" in cell:
            raise BadValueError("holds a NUL character", "Save the file again as plain text.")
        return cell

    return read


def email(cell: str) -> str:
    """An e-mail address in lower case, or nothing."""
    if not cell:
        return ""
    cell = text(254)(cell).lower()
    try:
        _EMAIL(cell)
    except ValidationError:
        raise BadValueError("is no e-mail address", "Write it like name@example.com.") from None
    return cell


@functools.lru_cache(maxsize=1000)
def language(cell: str) -> str:
    """One of our languages; `de-AT` counts as German, an empty cell as English."""
    code = cell.lower().replace("_", "-").partition("-")[0] or Language.ENGLISH.value
    if code not in Language.values:
        raise BadValueError("is no language we speak", f"Use {', '.join(Language.values)}.")
    return code


@functools.lru_cache(maxsize=1000)
def country(cell: str) -> str:
    """An ISO 3166 code of two letters, or nothing."""
    code = cell.upper()
    if code and code not in _COUNTRIES:
        raise BadValueError("is no country", "Use the two letters of ISO 3166, such as DE.")
    return code


@functools.lru_cache(maxsize=1000)
def time_zone(cell: str) -> str:
    """An IANA time zone; an empty cell counts as UTC."""
    name = cell or "UTC"
    if name not in available_timezones():
        raise BadValueError("is no time zone", "Use a name such as Europe/Berlin.")
    return name


def stripe_id(cell: str) -> str | None:
    """An id of Stripe's, or None."""
    if not cell:
        return None
    if any(letter.isspace() for letter in text(255)(cell)):
        raise BadValueError("is no id of Stripe's", "Write it like cus_NffrFeUfNV2Hib.")
    return cell


@functools.lru_cache(maxsize=1000)
def currency(cell: str) -> str:
    """An ISO 4217 code."""
    code = cell.upper()
    try:
        money.validate_currency(code)
    except ValidationError:
        raise BadValueError("is no currency", "Use a three-letter code such as EUR.") from None
    return code


@functools.lru_cache(maxsize=1000)
def interval(cell: str) -> int:
    """Months: of month, quarter, half_year, year, or 1, 3, 6, 12."""
    try:
        return _INTERVALS[cell.lower()]
    except KeyError:
        raise BadValueError(
            "is no interval we know",
            "Use month, quarter, half_year or year; translate with “values” in the map.",
        ) from None


@functools.lru_cache(maxsize=1000)
def status(cell: str) -> str:
    """One of Stripe's statuses of a subscription."""
    if cell not in Subscription.Status.values:
        raise BadValueError(
            "is no status",
            f"Use {', '.join(Subscription.Status.values)}; translate with “values” in the map.",
        )
    return cell


def fee_minor(cell: str, code: str, *, unit: str, decimal: str) -> int:
    """A fee in minor units of the currency `code`; never rounded."""
    written = cell.replace(decimal, ".") if decimal != "." and "." not in cell else cell
    if not _DECIMAL.fullmatch(written):
        raise BadValueError(
            "is no amount", f"Write digits only, like 29{decimal}85, without thousands separators."
        )
    step = money.granularity_minor(code)
    scale = money.minor_digits(code) if unit == "major" else 0
    amount = Decimal(written).scaleb(scale)
    if amount != amount.to_integral_value() or amount % step:
        raise BadValueError(f"has more digits than {code} has", "Round it in the file.")
    if amount > money.LARGEST_AMOUNT_MINOR:
        raise BadValueError("is more than Stripe can charge", "Check the amount and its unit.")
    return int(amount)


@functools.lru_cache(maxsize=20_000)
def moment(cell: str, written: str | None, zone: str) -> datetime | None:
    """A time in UTC; a date is its first moment in `zone`. Nothing for an empty cell."""
    if not cell:
        return None
    try:
        when = datetime.strptime(cell, written) if written else datetime.fromisoformat(cell)  # noqa: DTZ007
        if when.tzinfo is None:
            when = when.replace(tzinfo=ZoneInfo(zone))
        when = when.astimezone(UTC)
    except (ValueError, OverflowError):
        when = None
    if when is None or not EARLIEST_YEAR <= when.year <= LATEST_YEAR:
        example = (
            f"as the map says ({written})" if written else "like 2026-10-14 or 2026-10-14T15:30"
        )
        raise BadValueError("is no date", f"Write it {example}.")
    return when


@functools.lru_cache(maxsize=2000)
def months_before(cell: str, reference: date) -> datetime:
    """The start (UTC) of the day that lies `cell` whole months before `reference`.

    Where that month is too short, its last day.
    """
    if not _WHOLE.fullmatch(cell) or len(cell) > 4 or int(cell) > LONGEST_TENURE:  # noqa: PLR2004
        raise BadValueError(
            "is no number of months", f"Write a whole number from 0 to {LONGEST_TENURE}."
        )
    index = reference.year * 12 + reference.month - 1 - int(cell)
    year, month = divmod(index, 12)
    day = reference.day
    while True:
        try:
            return datetime(year, month + 1, day, tzinfo=UTC)
        except ValueError:
            day -= 1
