"""Each record of a file as a row to write, or as bad lines with their reasons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.text import slugify

from backoffice.customers.importing import values
from backoffice.customers.importing.binding import Binding, Text
from backoffice.customers.importing.map import (
    FeeSource,
    ImportMap,
    ListComponents,
    MapError,
    MomentSource,
    SubscriptionMap,
    ValueComponents,
)
from backoffice.customers.importing.report import BadLine
from backoffice.customers.importing.values import BadValueError

CUSTOMER_FIELDS: dict[str, Callable[[str], Any]] = {
    "name": values.text(200),
    "email": values.email,
    "language": values.language,
    "country": values.country,
    "segment": values.text(50),
    "time_zone": values.time_zone,
    "stripe_customer_id": values.stripe_id,
}
SUBSCRIPTION_FIELDS: dict[str, Callable[[str], Any]] = {
    "plan": values.text(100, is_required=True),
    "currency": values.currency,
    "interval": values.interval,
    "status": values.status,
    "region": values.text(50),
    "stripe_subscription_id": values.stripe_id,
}
MOMENTS = ("started_at", "ended_at", "trial_end", "period_start", "period_end")
_REFERENCE = values.text(100, is_required=True)


@dataclass
class Row:
    """One good line. The flags say which times were worked out and give way to stored ones."""

    line: int
    customer: dict[str, Any]
    subscription: dict[str, Any] | None = None
    components: list[str] = field(default_factory=list)
    is_start_guessed: bool = False
    is_end_guessed: bool = False


@dataclass(frozen=True)
class _Cell:
    """Where one field's text comes from and how it is read."""

    field: str
    text: Text
    read: Callable[[str], Any]


class Checker:
    """Checks the records of one file, as its map says.

    `as_of` is the reference date. `is_pinned` says that somebody chose it; else it is today, and
    dates worked out from it give way to those stored by an earlier import.
    """

    def __init__(
        self, how: ImportMap, header: Sequence[str], *, as_of: date, is_pinned: bool
    ) -> None:
        self._map = how
        self._binding = Binding(header)
        self._as_of = as_of
        self._is_pinned = is_pinned
        self.bad: list[BadLine] = []
        self.component_names: dict[str, tuple[str, str]] = {}
        self._customers: dict[str, tuple[int, int]] = {}
        self._subscriptions: dict[str, int] = {}
        self._reference = self._binding.text(how.customer.reference)
        self._customer_cells = self._cells(how.customer, CUSTOMER_FIELDS)
        self._subscription_cells: list[_Cell] = []
        if how.subscription is not None:
            self._bind_subscription(how.subscription)
        try:
            self._components = [self._component_reader(one) for one in how.components]
        except BadValueError as error:
            raise MapError(f"components: the map {error.reason}. {error.remedy}") from None
        self._binding.check()

    # --- binding the map to the header ------------------------------------------------------

    def _cells(self, how: Any, fields: dict[str, Callable[[str], Any]]) -> list[_Cell]:
        mapped = ((name, getattr(how, name), read) for name, read in fields.items())
        return [_Cell(n, self._binding.text(source), read) for n, source, read in mapped if source]

    def _bind_subscription(self, how: SubscriptionMap) -> None:
        self._subscription_reference = self._binding.text(how.reference)
        self._subscription_cells = self._cells(how, SUBSCRIPTION_FIELDS)
        self._fee = self._binding.text(how.fee)
        for name in MOMENTS:
            source = getattr(how, name)
            if source is not None:
                cell = _Cell(name, self._binding.text(source), self._moment_reader(source))
                self._subscription_cells.append(cell)

    def _moment_reader(self, source: MomentSource) -> Callable[[str], datetime | None]:
        if source.months_before_reference:
            return lambda cell: values.months_before(cell, self._as_of)
        written, zone = source.format, self._map.dates.time_zone
        return lambda cell: values.moment(cell, written, zone)

    def _component_reader(self, how: Any) -> Callable[[Sequence[str]], list[str]]:
        """What gives the keys of the components that a record uses."""
        if isinstance(how, ListComponents):
            at = self._binding.index(how.column)
            return lambda cells: [
                self._key(name.strip(), how.group)
                for name in cells[at].split(how.separator)
                if name.strip()
            ]
        keys = {cell: self._key(name, how.group) for cell, name in how.named().items()}
        if isinstance(how, ValueComponents):
            at = self._binding.index(how.column)
            return lambda cells: [keys[cells[at]]] if cells[at] in keys else []
        flags = [(self._binding.index(column), key) for column, key in keys.items()]
        return lambda cells: [key for at, key in flags if cells[at] == how.value]

    def _key(self, name: str, group: str) -> str:
        key = slugify(values.text(200)(name))[:100]
        if not key:
            raise BadValueError("names a component without a letter", "Give it a name in letters.")
        self.component_names.setdefault(key, (name, group))
        return key

    # --- checking records -------------------------------------------------------------------

    def rows(self, records: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
        """The good rows, in the file's order; bad ones are added to `bad`."""
        for number, cells in records:
            errors: list[BadLine] = []
            row = self._row(number, cells, errors)
            if not errors:
                self._check_first(row, errors)
            if errors:
                self.bad += errors
            else:
                yield row

    def _row(self, number: int, cells: Sequence[str], errors: list[BadLine]) -> Row:
        reference = self._read(
            number, _Cell("reference", self._reference, _REFERENCE), cells, "", errors
        )
        row = Row(number, {"reference": reference})
        for cell in self._customer_cells:
            row.customer[cell.field] = self._read(number, cell, cells, reference, errors)
        if self._map.subscription is not None:
            self._add_subscription(row, self._map.subscription, cells, errors)
        return row

    def _read(
        self, number: int, cell: _Cell, cells: Sequence[str], reference: Any, errors: list[BadLine]
    ) -> Any:
        written = cell.text(cells, reference or "")
        try:
            return cell.read(written)
        except BadValueError as error:
            errors.append(_bad(number, cell.field, written, error.reason, error.remedy))
            return None

    def _add_subscription(
        self, row: Row, how: SubscriptionMap, cells: Sequence[str], errors: list[BadLine]
    ) -> None:
        customer = row.customer["reference"]
        found = row.subscription = {}
        cell = _Cell("subscription reference", self._subscription_reference, _REFERENCE)
        if customer is not None:
            found["reference"] = self._read(row.line, cell, cells, customer, errors)
        for cell in self._subscription_cells:
            found[cell.field] = self._read(row.line, cell, cells, customer, errors)
        found["interval_months"] = found.pop("interval")
        found["fee_minor"] = self._read_fee(row.line, how.fee, cells, found["currency"], errors)
        row.customer["currency"] = found["currency"]
        row.is_start_guessed = how.started_at.months_before_reference and not self._is_pinned
        self._end_canceled(row, how)
        for read in self._components:
            try:
                row.components += read(cells)
            except BadValueError as error:
                errors.append(_bad(row.line, "components", "", error.reason, error.remedy))
        if not errors:
            errors += _contradictions(row.line, found)

    def _read_fee(
        self, number: int, how: FeeSource, cells: Sequence[str], currency: Any,
        errors: list[BadLine],
    ) -> int | None:  # fmt: skip
        if currency is None:
            return None
        cell = _Cell(
            "fee", self._fee,
            lambda written: values.fee_minor(written, currency, unit=how.unit, decimal=how.decimal),
        )  # fmt: skip
        amount: int | None = self._read(number, cell, cells, "", errors)
        return amount

    def _end_canceled(self, row: Row, how: SubscriptionMap) -> None:
        found = row.subscription or {}
        found.setdefault("ended_at", None)
        if found["status"] != "canceled" or found["ended_at"] or how.canceled_at is None:
            return
        is_reference = how.canceled_at == "reference"
        day = self._as_of if isinstance(how.canceled_at, str) else how.canceled_at
        found["ended_at"] = datetime.combine(day, time.min, UTC)
        row.is_end_guessed = is_reference and not self._is_pinned

    def _check_first(self, row: Row, errors: list[BadLine]) -> None:
        """Add an error where an earlier line says something else about the same thing."""
        reference = row.customer["reference"]
        found = row.subscription
        if found is not None:
            first = self._subscriptions.setdefault(found["reference"], row.line)
            if first != row.line:
                errors.append(_doubled(row.line, "subscription", found["reference"], first))
                return
        said = hash(tuple(row.customer.items()))
        first, said_first = self._customers.setdefault(reference, (row.line, said))
        if first == row.line:
            return
        if found is None:
            errors.append(_doubled(row.line, "customer", reference, first))
        elif said != said_first:
            errors.append(
                _bad(row.line, "reference", reference,
                     f"is a customer that line {first} describes otherwise",
                     "Give a customer the same name, e-mail, currency … on all lines.")
            )  # fmt: skip


def _bad(line: int, name: str, value: Any, reason: str, remedy: str) -> BadLine:
    written = "" if value is None else str(value)
    shown = written if len(written) <= 60 else f"{written[:60]}…"  # noqa: PLR2004
    sentence = f"{name} “{shown}” {reason}." if shown else f"{name} {reason}."
    return BadLine(line, name, shown.replace("\0", "␀"), sentence.replace("\0", "␀"), remedy)


def _doubled(line: int, kind: str, reference: str, first: int) -> BadLine:
    return _bad(
        line, "reference", reference, f"is a {kind} that stands on line {first} already",
        "Keep one of the lines.",
    )  # fmt: skip


def _contradictions(line: int, found: dict[str, Any]) -> list[BadLine]:
    """What is right by itself and wrong together."""
    errors = []
    if found["started_at"] is None:
        errors.append(_bad(line, "started_at", "", "is empty", "Fill in when it started."))
    elif found["ended_at"] is not None and found["ended_at"] < found["started_at"]:
        errors.append(
            _bad(line, "ended_at", found["ended_at"].date(), "is before it started",
                 "Check both dates.")
        )  # fmt: skip
    if found["status"] == "canceled" and found["ended_at"] is None:
        errors.append(
            _bad(line, "ended_at", "", "is empty though it is cancelled",
                 "Fill it in, or set “canceled_at” in the map.")
        )  # fmt: skip
    start, end = found.get("period_start"), found.get("period_end")
    if (start is None) != (end is None) or (start and end and end <= start):
        errors.append(
            _bad(line, "period_end", "" if end is None else end.date(), "does not end a period",
                 "Give both dates of the period, the later one as its end.")
        )  # fmt: skip
    return errors
