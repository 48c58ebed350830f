"""Issue 20,000 awards at 100 ms a call with a limit of 100 calls a second.

The real Celery worker issues against the real sandbox, which answers 429 above the limit. The
rate is that of the whole batch, from the first claim to the last booking. Besides the rate the
issuing process has bars for its memory and its share of a core, and the sandbox must hold exactly
what was approved.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone

import backoffice.celery  # noqa: F401 - approval sends its task through it
from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.stripe_sandbox.control import SandboxControl, SandboxProcess
from compensation.approval import approve_batch
from compensation.batches import create_batch, submit_batch
from compensation.models import Award, Batch, Policy, PolicyVersion
from compensation.models.batch import BatchState
from incidents.models import Incident
from tests.bench.result import Result
from tests.worker import WorkerProcess, wait_until

BAR = 0.95
MEMORY_BAR_MIB = 300
CPU_BAR_PERCENT = 25
AWARDS = 20_000
CALLS_PER_SECOND = 100
DELAY_MS = 100
SEEDED_AT_ONCE = 2_000
TASK = "compensation.tasks.issue_awards"

CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, stripe_customer_id, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com', 'en', 'DE', '', 'UTC', 'EUR',
       'cus_bench' || n, now(), now()
FROM generate_series(1, %(awards)s) AS n
"""


def run(scale: float) -> Result:
    """At `scale` 1 it takes about 210 seconds, nearly all of them waiting."""
    awards = max(200, round(AWARDS * scale))
    batch = _approved_batch(awards)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "sandbox.sqlite3")
        limits = ("--rate", str(CALLS_PER_SECOND), "--delay-ms", str(DELAY_MS))
        with SandboxProcess(state, arguments=limits) as process:
            sandbox = SandboxControl(process.address)
            _seed(sandbox, awards)
            usage = _issue(process.address, batch, Path(folder, "worker.log"))
            totals = sandbox.totals("award")
    _check(totals, batch, awards)
    first, last = (
        batch.awards.aggregate(first=Min("first_sent_at"), last=Max("issued_at"))[name]
        for name in ("first", "last")
    )
    memory_mib, cpu_percent = usage
    return Result(
        ours=awards / (last - first).total_seconds(),
        reference=CALLS_PER_SECOND,
        bar=BAR,
        unit="/s",
        more_is_better=True,
        others_hold=memory_mib < MEMORY_BAR_MIB and cpu_percent <= CPU_BAR_PERCENT,
        notes=f"{awards} awards, none lost, none twice, peak {memory_mib:.0f} MiB "
        f"(bar {MEMORY_BAR_MIB}), {cpu_percent:.1f} % of a core (bar {CPU_BAR_PERCENT}), "
        f"{totals['rate_limited']} times 429",
    )


def _approved_batch(awards: int) -> Batch:
    """Through the real verbs, but for the pricing."""
    maker, approver = (
        User.objects.create_superuser(f"{name}@example.com") for name in ("maker", "approver")
    )
    version = PolicyVersion.objects.create(
        policy=Policy.objects.create(key="bench", name="Bench"),
        number=1,
        state=PolicyVersion.State.ACTIVE,
    )
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS_SQL, {"awards": awards})
    incident = Incident.objects.create(number="INC-2026-001", title="Bench")
    batch = create_batch(incident, version, by=maker)
    Award.objects.bulk_create(
        (
            Award(
                batch=batch, incident=incident, customer=customer, benefit=Award.Benefit.CREDIT,
                amount_minor=100 + customer.pk % 900, currency="EUR",
            )
            for customer in Customer.objects.order_by("pk").iterator()
        ),
        batch_size=2_000,
    )  # fmt: skip
    Batch.objects.filter(pk=batch.pk).update(state=BatchState.PRICED, priced_at=timezone.now())
    submit_batch(batch, by=maker)
    approve_batch(batch, by=approver, digest=batch.digest)
    return batch


def _seed(sandbox: SandboxControl, awards: int) -> None:
    for start in range(1, awards + 1, SEEDED_AT_ONCE):
        numbers = range(start, min(start + SEEDED_AT_ONCE, awards + 1))
        sandbox.seed([{"customer": {"id": f"cus_bench{number}"}} for number in numbers])


def _issue(address: str, batch: Batch, log: Path) -> tuple[float, float]:
    """Peak memory (MiB) and processor time (percent of one core) of the process that issues."""
    environment = {
        "STRIPE_API_KEY": "sk_test_sandbox",
        "STRIPE_API_BASE": address,
        "STRIPE_CALLS_PER_SECOND": str(CALLS_PER_SECOND),
    }
    with WorkerProcess(log=log, environment=environment) as worker:
        worker.start()
        child = worker.child()
        used, begun = _processor_seconds(child), time.monotonic()
        worker.send(TASK)
        wait_until(lambda: _is_issued(batch), seconds=60 + batch.awards.count() / 50, every=0.5)
        share = (_processor_seconds(child) - used) / (time.monotonic() - begun)
        return _peak_mib(child), 100 * share


def _is_issued(batch: Batch) -> bool:
    return Batch.objects.filter(pk=batch.pk, state=BatchState.ISSUED).exists()


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _check(totals: dict[str, Any], batch: Batch, awards: int) -> None:
    """Raises AssertionError when the sandbox doesn't hold exactly what was approved."""
    owed = sum(batch.awards.values_list("amount_minor", flat=True))
    found = totals["currencies"]["eur"]
    seen = totals["by_metadata"]
    if (found["credits"], found["credited_minor"], seen["credited"]) != (awards, owed, awards):
        raise AssertionError(f"owed {awards} awards, {owed} minor; the sandbox holds {found}")
    if seen["credited_more_than_once"]:
        raise AssertionError(f"credited more than once: {seen['examples']}")
