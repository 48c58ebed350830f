"""`manage.py backtest`: what a version would have cost over the incidents of the past."""

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from calendar import monthrange
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from compensation.backtesting import ask_backtest, in_force, run_backtest
from compensation.backtesting.report import as_report, as_text
from compensation.models import Backtest, PolicyVersion


def _first(text: str) -> date:
    return _day(text, is_last=False)


def _last(text: str) -> date:
    return _day(text, is_last=True)


def _day(text: str, *, is_last: bool) -> date:
    """A day, or the first or last one of a month."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}", text):
            year, month = (int(part) for part in text.split("-"))
            return date(year, month, monthrange(year, month)[1] if is_last else 1)
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"“{text}” is no month (2026-08) and no day (2026-08-31)."
        ) from None


class Command(BaseCommand):
    """Runs here and now; the figures are kept and shown on the version's page, too."""

    help = "Price the incidents of the past under a version of a policy, beside another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--policy", required=True, metavar="KEY")
        # Django itself answers to --version.
        parser.add_argument("--version", dest="number", type=int, required=True, metavar="N")
        parser.add_argument("--from", dest="first", type=_first, required=True, metavar="MONTH")
        parser.add_argument("--to", dest="last", type=_last, required=True, metavar="MONTH")
        parser.add_argument(
            "--against", metavar="KEY:N", help="compare with it rather than the one in force"
        )
        parser.add_argument("--json", action="store_true", help="everything, for machines")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """With a --version of our own in place of Django's."""
        kwargs["conflict_handler"] = "resolve"
        return super().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *_args: Any, **options: Any) -> None:
        version = _version(options["policy"], options["number"])
        against = in_force(version)
        if options["against"]:
            key, _colon, number = options["against"].rpartition(":")
            if not number.isdecimal():
                raise CommandError("--against is KEY:N, such as standard-sla:3.")
            against = _version(key, int(number))
        try:
            run = ask_backtest(
                version, first=options["first"], last=options["last"], against=against, by=None
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        run = run_backtest(run)
        if run.state != Backtest.State.DONE:
            raise CommandError(run.note or f"It is {run.state}.")
        report = as_report(run)
        text = json.dumps(report, indent=2) if options["json"] else as_text(report)
        self.stdout.write(text)


def _version(key: str, number: int) -> PolicyVersion:
    found = PolicyVersion.objects.filter(policy__key=key, number=number).first()
    if found is None:
        raise CommandError(f"There is no version {number} of a policy “{key}”.")
    return found
