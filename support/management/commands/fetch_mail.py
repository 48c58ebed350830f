"""Fetch the mail that waits in the mailboxes, and handle it, without Celery."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.channels.email.imap import FetchError
from support.addresses import mailboxes
from support.intake import fetch_mail, handle_inbound


class Command(BaseCommand):
    help = "Fetch what waits in SUPPORT_MAILBOXES and make tickets of it; also tests the set-up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("addresses", nargs="*", help="only these mailboxes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = mailboxes()
        except ValueError as error:
            raise CommandError(str(error)) from error
        wanted = [
            box for box in found if not options["addresses"] or box.address in options["addresses"]
        ]
        if not wanted:
            raise CommandError("There is no such mailbox: set SUPPORT_MAILBOXES (docs/email.md).")
        for mailbox in wanted:
            self._fetch(mailbox)
        while handle_inbound():
            pass

    def _fetch(self, mailbox: Any) -> None:
        try:
            fetched = fetch_mail(mailbox, seconds=float("inf"))
        except FetchError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{mailbox.address}: {fetched} fetched")
