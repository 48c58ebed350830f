"""Erase what names a person; money's records stay. docs/privacy.md says what is emptied."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from support.management.persons import add_person_arguments, person_from
from support.privacy import erase_person, figures_of


class Command(BaseCommand):
    help = "Erase a person (a customer's reference, or an address). Without --yes it only counts."

    def add_arguments(self, parser: CommandParser) -> None:
        add_person_arguments(parser)
        parser.add_argument("--reason", default="", help="who asked for it, and when")
        parser.add_argument("--yes", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_from(options)
        figures = figures_of(person)
        told = (
            f"{figures.tickets} tickets, {figures.messages} messages, {figures.files} files; "
            f"keeps {figures.awards} awards, {figures.ledger_entries} ledger entries"
        )
        if not options["yes"]:
            self.stdout.write(f"Would erase {told}. Say --yes --reason … to do it.")
            return
        if not options["reason"].strip():
            raise CommandError("Say --reason: who asked for it, and when.")
        record = erase_person(person, by=None, reason=options["reason"])
        self.stdout.write(f"Erased {told} (record {record.pk}).")
