"""Everything that is kept about a person, as a ZIP file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from support.management.persons import add_person_arguments, person_from
from support.privacy import export_person


class Command(BaseCommand):
    help = "Write what is kept about a person (a customer's reference, or an address) to a file."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person_arguments(parser)
        parser.add_argument("file", type=Path, help="where to write, such as person.zip")

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_from(options)
        with options["file"].open("xb") as into:
            record = export_person(person, by=None, into=into)
        self.stdout.write(f"Written to {options['file']} (record {record.pk}).")
