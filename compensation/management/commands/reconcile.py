"""`manage.py reconcile`: compare our books with Stripe's, here and now, and say what differs."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q

from backoffice.customers.models import Customer
from backoffice.states import MoveError
from compensation.models import ReconciliationRun
from compensation.reconciliation import go_on, open_run
from compensation.reconciliation.report import report_text, run_report

# Exit codes: 0 all agrees (or is accepted), 1 open findings, 2 it could not be done.
DIFFERS, BROKEN = 1, 2
WAIT_SECONDS = 2.0


class Command(BaseCommand):
    """Exit code 1 when findings are open, 2 when it could not be compared."""

    help = "Compares our ledger and awards with Stripe, and lists what differs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="all customers, not only those with awards"
        )
        parser.add_argument(
            "--customer", metavar="ID", help="one customer: our reference or Stripe's id"
        )
        parser.add_argument("--json", action="store_true", help="as JSON on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        run = self._run(full=options["full"], customer=options["customer"])
        while run.state == ReconciliationRun.State.RUNNING:
            go_on()
            run.refresh_from_db()
            self._say(run)
            if run.note:
                time.sleep(WAIT_SECONDS)
        report = run_report(run)
        text = json.dumps(report, indent=2) if options["json"] else report_text(report)
        self.stdout.write(text)
        if run.state != ReconciliationRun.State.FINISHED:
            raise CommandError(run.note, returncode=BROKEN)
        if report["open"]:
            raise SystemExit(DIFFERS)

    def _run(self, *, full: bool, customer: str | None) -> ReconciliationRun:
        try:
            if customer:
                return open_run(ReconciliationRun.Scope.CUSTOMER, customer=_customer(customer))
            scope = ReconciliationRun.Scope
            return open_run(scope.FULL if full else scope.AWARDED)
        except MoveError as error:
            raise CommandError(str(error), returncode=BROKEN) from None

    def _say(self, run: ReconciliationRun) -> None:
        line = f"{run.customers_done} of {run.customers_total} customers, {run.calls} calls"
        self.stderr.write(f"{line} {run.note}".rstrip())


def _customer(name: str) -> Customer:
    found = Customer.objects.filter(Q(reference=name) | Q(stripe_customer_id=name)).first()
    if found is None:
        raise CommandError(f"No customer has the reference or Stripe id {name}.", returncode=BROKEN)
    return found
