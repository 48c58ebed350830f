"""Reconcile 20,000 awards in which 50 differences of every kind are planted.

The real Celery worker compares with the real sandbox, at its share of 250 calls a second. It must
find exactly what was planted: one more or one fewer is an error, not a figure. Besides the rate,
there is a bar for memory.
"""

import tempfile
import time
from pathlib import Path

import backoffice.celery  # noqa: F401 - the run sends its task through it
from backoffice.stripe_sandbox.control import SandboxProcess
from compensation.models import Finding, ReconciliationRun
from compensation.reconciliation import open_run
from tests.bench.issuing import MEMORY_BAR_MIB, _peak_mib, _processor_seconds
from tests.bench.result import Result
from tests.compensation.planting import PLANTS, plant
from tests.worker import WorkerProcess, wait_until

BAR = 0.9
AWARDS = 20_000
EACH = 50
CALLS_PER_SECOND = 250
SHARE = 0.8
TASK = "compensation.tasks.reconcile"


def run(scale: float) -> Result:
    """At `scale` 1 it takes about 80 seconds, a minute of them comparing."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "sandbox.sqlite3")
        awards, each = max(400, round(AWARDS * scale)), max(1, round(EACH * scale))
        planted = plant(state, awards=awards, each=each)
        with SandboxProcess(state, arguments=("--rate", str(CALLS_PER_SECOND))) as process:
            seconds, memory_mib, cpu_percent = _reconcile(process.address, Path(folder, "log"))
    done = ReconciliationRun.objects.get()
    _check(done, planted)
    return Result(
        ours=done.calls / seconds,
        reference=CALLS_PER_SECOND * SHARE,
        bar=BAR,
        unit="/s",
        more_is_better=True,
        others_hold=memory_mib < MEMORY_BAR_MIB,
        notes=f"{done.awards} awards of {done.customers_done} customers, {done.transactions} "
        f"transactions; planted {len(planted)} of {len(PLANTS)} kinds, found exactly those; "
        f"{done.calls} calls in {seconds:.0f} s, peak {memory_mib:.0f} MiB "
        f"(bar {MEMORY_BAR_MIB}), {cpu_percent:.0f} % of a core",
    )


def _reconcile(address: str, log: Path) -> tuple[float, float, float]:
    """Seconds, peak memory (MiB) and processor time (percent of a core) of the whole run."""
    environment = {
        "STRIPE_API_KEY": "sk_test_sandbox",
        "STRIPE_API_BASE": address,
        "STRIPE_CALLS_PER_SECOND": str(CALLS_PER_SECOND),
        "RECONCILIATION_SHARE": str(SHARE),
        "RECONCILIATION_GRACE_SECONDS": "0",
        "RECONCILIATION_HOUR": "-1",
    }
    with WorkerProcess(log=log, environment=environment) as worker:
        worker.start()
        child = worker.child()
        used, begun = _processor_seconds(child), time.monotonic()
        open_run(ReconciliationRun.Scope.FULL)
        worker.send(TASK)
        running = ReconciliationRun.objects.filter(state=ReconciliationRun.State.RUNNING)
        wait_until(lambda: not running.exists(), seconds=600, every=0.25)
        seconds = time.monotonic() - begun
        share = (_processor_seconds(child) - used) / seconds
        return seconds, _peak_mib(child), 100 * share


def _check(done: ReconciliationRun, planted: set[str]) -> None:
    """Raises AssertionError when something else was found, or the sums are not explained."""
    found = set(Finding.objects.filter(state="open").values_list("identity", flat=True))
    if found != planted or done.state != "finished" or done.customers_skipped:
        raise AssertionError(
            f"{done.state} {done.note} {done.customers_skipped}; "
            f"too many: {sorted(found - planted)[:5]}, missed: {sorted(planted - found)[:5]}"
        )
    for currency, line in done.totals.items():
        rest = line["stripe"] - line["ours"] - line["found"] - line["under_way"] - line["not_ours"]
        if rest:
            raise AssertionError(f"{rest} of {currency} is not explained")
