"""manage.py import_policies FILE [--check] [--currency USD]: policies with their examples."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg.errors import UndefinedColumn, UndefinedTable

from backoffice.money import format_money
from compensation import examples, policies
from compensation.policy_files import DEFAULT_CURRENCY, PolicyFile, Reading, read_policies
from compensation.policy_files.settling import Settled, settle

NO_TABLES = "The database's tables are not those of this version: run manage.py migrate first."


class Command(BaseCommand):
    help = "Read policies with their examples from a JSON file, as drafts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="see docs/policies.md for its format")
        parser.add_argument(
            "--check", action="store_true", help="only price the examples; write nothing"
        )
        parser.add_argument(
            "--currency", default=DEFAULT_CURRENCY,
            help="of the amounts, where the file does not say (default: %(default)s)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        reading = self._read(options["file"], options["currency"].upper())
        _fill_embedded_database()
        for warning in reading.warnings:
            self.stderr.write(f"warning: {warning}")
        if reading.problems and not options["check"]:
            raise CommandError("\n".join([*reading.problems, "Nothing was imported."]))
        settled = self._settle(reading)
        for warning in (warning for one in settled for warning in one.warnings):
            self.stderr.write(f"warning: {warning}")
        differing = self._tell(settled)
        if not options["check"]:
            self._import([one.policy for one in settled])
        elif reading.problems:
            raise CommandError("\n".join(reading.problems))
        elif differing:
            raise SystemExit(1)

    def _read(self, file: str, currency: str) -> Reading:
        try:
            return read_policies(Path(file).read_bytes(), currency=currency)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except ValidationError as error:
            raise CommandError(f"{file}: {' '.join(error.messages)}") from error

    def _settle(self, reading: Reading) -> list[Settled]:
        try:
            return [settle(one) for one in reading.policies]
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except ProgrammingError as error:
            if isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
                raise CommandError(NO_TABLES) from error
            raise

    def _tell(self, settled: list[Settled]) -> int:
        """How the examples come out; returns how many differ."""
        total = exact = 0
        for one, results, _warnings in settled:
            right = [result for result in results if result.is_exact]
            holes = sum(result.expects_nothing_said for result in right)
            total, exact = total + len(results), exact + len(right)
            self.stdout.write(
                f"{one} examples={len(results)} exact={len(right)}"
                f" differing={len(results) - len(right)}" + (f" holes={holes}" if holes else "")
            )
            for result in results:
                if not result.is_exact:
                    self.stdout.write(f"  {_difference(result)}")
        self.stdout.write(
            f"policies={len(settled)} examples={total} exact={exact} differing={total - exact}"
        )
        return total - exact

    def _import(self, read: list[PolicyFile]) -> None:
        """All of them or none."""
        with transaction.atomic():
            made = [policies.import_policy(one) for one in read]
        for version in made:
            self.stdout.write(f"{version}: {version.get_state_display()}")


def _fill_embedded_database() -> None:
    """In a fresh checkout it has no tables yet; a database of one's own is left as it is."""
    if os.environ.get("DATABASE_URL"):
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0)


def _difference(result: examples.Result) -> str:
    example = result.example
    minutes = ", ".join(f"{one.normalize():f}" for one in example.minutes)
    fee = format_money(example.fee_minor, example.currency)
    got = _amount(result, result.got_minor, result.got_days)
    if result.expects_nothing_said:
        expected = "the text to be silent, but no hole is there"
    else:
        expected = _amount(result, example.expected_minor or 0, example.expected_days or 0)
    said = f" ({example.label})" if example.label else ""
    return (
        f"example {example.position}{said}: {minutes} minutes, {float(result.uptime):.6f} % uptime,"
        f" fee {fee}: expected {expected}, got {got}"
        + (f" by row {', '.join(map(str, result.rules))}" if result.rules else "")
    )


def _amount(result: examples.Result, minor: int, days: int) -> str:
    """In the words that the example expects it in."""
    if result.example.expected_days is not None:
        return f"{days} days"
    return format_money(minor, result.example.currency) + (f" and {days} days" if days else "")
