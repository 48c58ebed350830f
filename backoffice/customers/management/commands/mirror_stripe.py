"""Bring customers and subscriptions in from Stripe, and create ours there."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.customers.mirror import MirrorError, mirror_stripe

SHOWN = 20


class Command(BaseCommand):
    help = "Bring customers and subscriptions in from Stripe (or from the sandbox)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--create",
            action="store_true",
            help="then create there what has no id of Stripe's yet (test mode only)",
        )
        parser.add_argument("--limit", type=int, help="at most this many of each kind")
        parser.add_argument("--json", action="store_true", help="print the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = mirror_stripe(create=options["create"], limit=options["limit"])
        except MirrorError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_dict(), indent=2))
            return
        for kind in ("customers", "subscriptions"):
            counts = getattr(report, kind)
            self.stdout.write(
                f"{kind} from Stripe: {counts.created:,} created, {counts.updated:,} updated, "
                f"{counts.unchanged:,} unchanged"
            )
        if options["create"]:
            self.stdout.write(
                f"created at Stripe: {report.customers_created:,} customers, "
                f"{report.subscriptions_created:,} subscriptions"
            )
        self.stdout.write(f"{report.seconds:.1f} s")
        for title, several in (("skipped", report.skipped), ("failed", report.failed)):
            for one in several[:SHOWN]:
                self.stderr.write(f"{title} {one.what}: {one.reason}")
            if len(several) > SHOWN:
                self.stderr.write(f"… {len(several) - SHOWN:,} more {title} (--json)")
