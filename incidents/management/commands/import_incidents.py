"""Import incidents from Statuspage's JSON or from lines of JSON."""

import dataclasses
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.importing import ImportFileError, Report, import_incidents

BAD_RECORDS_SHOWN = 20


class Command(BaseCommand):
    help = "Import incidents from Statuspage's JSON exports, or from one JSON object a line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the JSON file")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
            report = import_incidents(text, dry_run=options["dry_run"])
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot be read: {error}") from None
        except ImportFileError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(report), indent=2))
        else:
            self._tell(report)

    def _tell(self, report: Report) -> None:
        would = "would be " if report.dry_run else ""
        self.stdout.write(
            f"incidents: {report.created:,} {would}created (of them {report.maintenances:,} "
            f"maintenances), {report.updated:,} {would}updated, {report.unchanged:,} unchanged"
        )
        self.stdout.write(
            f"outages: {report.outages:,} {would}added; updates: {report.updates:,} {would}added; "
            f"new components: {', '.join(report.components_created) or 'none'}"
        )
        self.stdout.write(f"{len(report.bad):,} bad records")
        for bad in report.bad[:BAD_RECORDS_SHOWN]:
            self.stderr.write(f"record {bad.number}: {bad.reason}")
        if len(report.bad) > BAD_RECORDS_SHOWN:
            self.stderr.write(f"… and {len(report.bad) - BAD_RECORDS_SHOWN:,} more (--json)")
