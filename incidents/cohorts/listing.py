"""Lists of affected customers as CSV files."""

import csv
import io
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from incidents.cohorts.membership import MOST_SECONDS, MemberRow, match_members
from incidents.models import CohortMember

# A list of more would hold up a web process for half a minute; conditions and the API take more.
MOST_LINES = 200_000
COLUMNS = ("customer", "subscription", "major_minutes", "partial_minutes")


class ListFileError(ValueError):
    """The file as a whole is no list; says what to do."""


@dataclass(frozen=True)
class BadLine:
    """A line (from 1, the header is line 1) that cannot be taken, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class CustomerList:
    """What a file holds: its good rows with whom they mean, and its bad lines."""

    rows: list[MemberRow]
    members: list[CohortMember]
    bad_lines: list[BadLine]


def read_list(text: str) -> CustomerList:
    """Read a CSV file's text: whom it means, and which of its lines are wrong. Stores nothing.

    Its header names customer and/or subscription (references), and, if known, major_minutes and
    partial_minutes (decimals allowed, half a second is rounded up). Commas, semicolons or tabs
    separate.

    Raises:
        ListFileError: the header names none of the columns, the file is no CSV, or has more than
            MOST_LINES lines.
    """
    lines = _lines(text)
    rows, numbers, bad = [], [], []
    for number, values in lines:
        try:
            rows.append(_row(values))
            numbers.append(number)
        except ValueError as error:
            bad.append(BadLine(number, str(error)))
    members, problems = match_members(rows)
    wrong = {problem.index: problem for problem in problems}
    for index, problem in wrong.items():
        row = problem.same_as
        same = _("Line %d names the same one.") % numbers[row] if row is not None else ""
        bad.append(BadLine(numbers[index], same or problem.message))
    good = [row for index, row in enumerate(rows) if index not in wrong]
    return CustomerList(good, members, sorted(bad, key=lambda line: line.number))


def _lines(text: str) -> list[tuple[int, dict[str, str]]]:
    """The lines by their numbers, each as {column: text}."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    if text.count("\n") > MOST_LINES:
        raise ListFileError(
            _("A list has at most %s lines: use a condition or the API for more, or several lists.")
            % f"{MOST_LINES:,}"
        )
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        header = [name.strip().lower().replace(" ", "_") for name in next(reader, [])]
        if not {"customer", "subscription"} & set(header):
            raise ListFileError(
                _("The first line must name the columns: customer or subscription, and, if known,")
                + " major_minutes, partial_minutes."
            )
        unknown = [name for name in header if name and name not in COLUMNS]
        if unknown:
            raise ListFileError(
                _("Unknown columns: %(unknown)s. Known are %(known)s.")
                % {"unknown": ", ".join(unknown), "known": ", ".join(COLUMNS)}
            )
        return [
            (reader.line_num, dict(zip(header, (v.strip() for v in values), strict=False)))
            for values in reader
            if any(value.strip() for value in values)
        ]
    except csv.Error as error:
        raise ListFileError(_("This is no CSV: %s.") % error) from error


def _row(values: dict[str, str]) -> MemberRow:
    """One line's row.

    Raises:
        ValueError: minutes are no number.
    """
    return MemberRow(
        customer=values.get("customer", ""),
        subscription=values.get("subscription", ""),
        major_seconds=_seconds(values.get("major_minutes", "")),
        partial_seconds=_seconds(values.get("partial_minutes", "")),
    )


def _seconds(text: str) -> int | None:
    if not text:
        return None
    try:
        seconds = Decimal(text.replace(",", ".")) * 60
        in_range = 0 <= seconds <= MOST_SECONDS
    except InvalidOperation:
        in_range = False
    if not in_range:
        raise ValueError(_("“%s” is no number of minutes.") % text[:40])
    return int(seconds + Decimal("0.5"))
