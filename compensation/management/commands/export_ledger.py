"""`manage.py export_ledger 2026-10`: a month of the ledger for accountants."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.money import format_money
from compensation.books import (
    LAYOUTS,
    Exported,
    ExportError,
    Layout,
    Month,
    export,
    parts_of,
    totals,
)


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    """The file goes to stdout, or to `--directory` under its own name; the sums to stderr."""

    help = (
        "Write a month of the ledger in double entry, with the account codes of BOOKS_ACCOUNTS. "
        "Months begin in BOOKS_TIME_ZONE. The sums of the whole month go to stderr."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("month", type=_month, help="such as 2026-10")
        parser.add_argument("--layout", choices=sorted(LAYOUTS), default="general")
        parser.add_argument("--currency", default="", help="postings in this currency only")
        parser.add_argument("--part", type=int, default=0, help="of a month that needs several")
        parser.add_argument("--directory", type=Path, help="write all parts there, as files")

    def handle(self, *args: Any, **options: Any) -> None:
        month, layout = options["month"], LAYOUTS[options["layout"]]
        currency = options["currency"].upper()
        try:
            for part in self._parts(month, layout, currency, options):
                self._write(export(month, layout, currency=currency, part=part), options)
        except ExportError as error:
            raise CommandError(str(error)) from None
        self._tell(month, layout, currency)

    def _parts(
        self, month: Month, layout: Layout, currency: str, options: dict[str, Any]
    ) -> Sequence[int]:
        if options["part"]:
            return [options["part"]]
        parts = parts_of(month, layout, currency)
        if parts > 1 and options["directory"] is None:
            raise CommandError(f"{month} needs {parts} files: give a --directory or a --part.")
        return range(1, parts + 1)

    def _write(self, file: Exported, options: dict[str, Any]) -> None:
        if options["directory"] is None:
            self._print(file)
            return
        path = options["directory"] / file.name
        with path.open("w", encoding=file.encoding, newline="") as out:
            out.writelines(file.lines)
        self.stderr.write(f"wrote {path}")

    def _print(self, file: Exported) -> None:
        """In the layout's own encoding where stdout is a real one, and as it is elsewhere."""
        raw = getattr(self.stdout._out, "buffer", None)
        for line in file.lines:
            if raw is not None and self.stdout._out is sys.stdout:
                raw.write(line.encode(file.encoding))
            else:
                self.stdout.write(line, ending="")

    def _tell(self, month: Month, layout: Layout, currency: str) -> None:
        found = totals(month)
        for total in found:
            amount = format_money(total.amount_minor, total.currency)
            self.stderr.write(f"{month} {total.kind}: {total.entries} entries, {amount}")
        if not found:
            self.stderr.write(f"{month}: nothing was booked.")
        written = currency or (settings.BOOKS_CURRENCY if layout.is_of_one_currency else "")
        others = sorted({total.currency for total in found} - {written}) if written else []
        if others:
            self.stderr.write(f"NOT in this file: postings in {', '.join(others)}.")
