"""Import customers, subscriptions and component use from a CSV file."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.customers.importing import MapError, Report, import_customers, read_map
from backoffice.customers.importing.records import import_and_record

BAD_LINES_SHOWN = 20


class Command(BaseCommand):
    help = "Import customers from a CSV file, as a map (TOML, see docs/importing.md) says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the CSV file")
        parser.add_argument("--map", type=Path, required=True, help="the map, a TOML file")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="the day the file speaks of (YYYY-MM-DD)"
        )
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            map_text = options["map"].read_text(encoding="utf-8")
            with options["file"].open("rb") as file:
                report = self._import(file, map_text, options)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot be read: {error}") from None
        except MapError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2))
        else:
            self._tell(report)

    def _import(self, file: Any, map_text: str, options: dict[str, Any]) -> Report:
        name = options["file"].name
        if options["dry_run"]:
            return import_customers(
                file, how=read_map(map_text), file_name=name, as_of=options["as_of"], dry_run=True
            )
        return import_and_record(file, map_text=map_text, file_name=name, as_of=options["as_of"])

    def _tell(self, report: Report) -> None:
        would = "would be " if report.dry_run else ""
        for notice in report.notices:
            self.stderr.write(notice)
        for kind in ("customers", "subscriptions"):
            counts = getattr(report, kind)
            self.stdout.write(
                f"{kind}: {counts.created:,} {would}created, {counts.updated:,} {would}updated, "
                f"{counts.unchanged:,} unchanged"
            )
        self.stdout.write(
            f"component uses: {report.uses_added:,} {would}added, "
            f"{report.uses_removed:,} {would}removed; "
            f"new components: {', '.join(report.components_created) or 'none'}"
        )
        self.stdout.write(
            f"{report.lines:,} lines, {report.bad_line_count:,} bad, "
            f"as of {report.as_of}, {report.seconds:.1f} s"
        )
        for bad in report.bad_lines[:BAD_LINES_SHOWN]:
            self.stderr.write(f"line {bad.line}: {bad.reason} {bad.remedy}")
        if len(report.bad_lines) > BAD_LINES_SHOWN:
            self.stderr.write(f"… and {len(report.bad_lines) - BAD_LINES_SHOWN:,} more (--json)")
