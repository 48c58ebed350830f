"""`manage.py verify_ledger`: whether the ledger is as it was booked."""

import json
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compensation.verification import KeptHash, Verification, verify_ledger


def _kept(text: str) -> KeptHash:
    try:
        return KeptHash.parse(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


class Command(BaseCommand):
    """Exit code 1 when the chain is broken; the first broken entry is named."""

    help = (
        "Check the ledger's chain of hashes and name the first entry that was changed, is missing "
        "or stands out of its chain. Keep the last hash where the database's administrator cannot "
        "write, and give it to the next run with --expect-hash: else missing newest entries go "
        "unnoticed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
        parser.add_argument(
            "--expect-hash",
            type=_kept,
            metavar="HASH[@ID]",
            help="a hash (and its entry's number) kept from an earlier run that must be there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        found = verify_ledger(options["expect_hash"])
        seconds = time.monotonic() - started
        show = self._as_json if options["json"] else self._as_text
        show(found, seconds)
        if found.broken:
            raise SystemExit(1)

    def _as_text(self, found: Verification, seconds: float) -> None:
        figures = f"entries={found.entries} last_id={found.last_id} seconds={seconds:.1f}"
        if found.broken:
            broken = found.broken
            entry = f"entry {broken.id}" if broken.id else "an entry"
            self.stdout.write(f"BROKEN at {entry}, {broken.fault}: {broken.why}")
        self.stdout.write(f"{figures} last_hash={found.last_hash}@{found.last_id}")

    def _as_json(self, found: Verification, seconds: float) -> None:
        broken = found.broken
        self.stdout.write(
            json.dumps(
                {
                    "is_intact": broken is None,
                    "entries": found.entries,
                    "last_id": found.last_id,
                    "last_hash": found.last_hash,
                    "seconds": round(seconds, 3),
                    "broken": broken
                    and {"id": broken.id, "fault": str(broken.fault), "why": broken.why},
                }
            )
        )
