"""Take in Stripe's events by HTTP while a worker handles them, is killed, and goes on.

Two web processes as in production, one worker, eight senders, a sandbox to read from; all of that
and the database share the machine's cores. Of 100,000 deliveries a fifth are duplicates, and all
are shuffled. Before, the same events were handled in order, each once: mirror and ledger must be
the same after both.
"""

import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.customers.models import Customer, Subscription
from backoffice.stripe_sandbox.control import SandboxControl, SandboxProcess
from backoffice.webhooks import receivers, signals
from backoffice.webhooks.accepting import accept_event
from backoffice.webhooks.handling import handle_events
from backoffice.webhooks.models import StripeEvent
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, LedgerEntry
from tests.bench.result import Result
from tests.worker import PROJECT, WorkerProcess, database_url, wait_until

BAR = 1.0
PER_SECOND = 200
DELIVERIES = 100_000
CUSTOMERS = 2_000
SENDERS = 8
SECRET = "whsec_bench"
CREDIT_MINOR = 5_000
TASK = "backoffice.webhooks.tasks.handle_events"
State = tuple[list[Any], list[Any], list[Any]]


def run(scale: float) -> Result:
    """At `scale` 1 some minutes."""
    deliveries = max(1_000, round(DELIVERIES * scale))
    customers = max(20, round(CUSTOMERS * scale))
    with tempfile.TemporaryDirectory() as folder:
        sandbox = SandboxProcess(Path(folder, "stripe.sqlite3"), arguments=("--rate", "0"))
        with sandbox:
            _point_to(sandbox.address)
            signals.events_waiting.disconnect(receivers.wake_handling)
            awards = _shop(SandboxControl(sandbox.address), customers)
            events = _events()
            for event in events:
                accept_event(json.dumps(event).encode())
                if random.random() < 0.002:  # noqa: S311 - so that slices differ
                    handle_events()
            wanted = _handled()
            _forget(awards)
            return _measure(Path(folder), _shuffled(events, deliveries), wanted)


def _measure(folder: Path, bodies: list[bytes], wanted: State) -> Result:
    environment = _environment()
    worker = WorkerProcess(log=folder / "worker.log", environment=environment)
    with worker.start(), _web(environment, worker.queue, folder / "web.log") as port:

        def kill() -> None:
            """In the middle of its work; another one takes over while deliveries go on."""
            worker.kill()
            worker.start()
            worker.send(TASK)

        killer = threading.Timer(len(bodies) / PER_SECOND / 3, kill)
        killer.start()
        seconds = _send(port, bodies)
        killer.join()
        kept = StripeEvent.objects.filter(state="waiting").count()
        started = time.monotonic()
        worker.send(TASK)
        wait_until(lambda: not StripeEvent.objects.filter(state="waiting").exists(), 900, every=0.5)
        behind = time.monotonic() - started
    found = StripeEvent.objects.aggregate(deliveries=Sum("deliveries"))["deliveries"]
    odd = StripeEvent.objects.exclude(state__in=["handled", "ignored"]).count()
    differs = [ours != theirs for ours, theirs in zip(_state(), wanted, strict=True)]
    if found != len(bodies) or odd or any(differs):
        raise AssertionError(f"{found} of {len(bodies)} kept, {odd} odd, other states: {differs}.")
    return Result(
        ours=len(bodies) / seconds,
        reference=PER_SECOND,
        bar=BAR,
        unit="/s",
        more_is_better=True,
        notes=f"{len(bodies)} deliveries of {StripeEvent.objects.count()} events, shuffled, one "
        f"worker killed, none lost; {kept} left at the last delivery were handled in "
        f"{behind:.1f} s; {len(wanted[2])} ledger entries as in order",
    )


def _environment() -> dict[str, str]:
    return {
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "STRIPE_API_KEY": "sk_test_bench",
        "STRIPE_API_BASE": settings.STRIPE_API_BASE,
        "STRIPE_CALLS_PER_SECOND": "5000",
        "STRIPE_EVENTS_SHARE": "1",
        "SECRET_KEY": settings.SECRET_KEY,
    }


def _point_to(address: str) -> None:
    settings.STRIPE_API_KEY, settings.STRIPE_API_BASE = "sk_test_bench", address
    settings.STRIPE_CALLS_PER_SECOND, settings.STRIPE_EVENTS_SHARE = 5000.0, 1.0


def _shop(sandbox: SandboxControl, customers: int) -> list[Award]:
    """Customers with a credit of ours, one made by hand for some, and two invoices each."""
    giver = User.objects.create_user("giver@example.com", is_staff=True)
    now = timezone.now()
    price = {
        "currency": "eur", "unit_amount": 2_000, "recurring": {"interval": "month"},
        "product_data": {"name": "Business"},
    }  # fmt: skip
    sandbox.seed(
        [
            {
                "reference": f"C-{n}",
                "customer": {"id": f"cus_{n}", "name": f"Customer {n}", "email": f"c{n}@x.example"},
                "subscription": {"id": f"sub_{n}", "items": [{"price_data": price}]},
            }
            for n in range(customers)
        ]
    )
    rows = Customer.objects.bulk_create(
        Customer(reference=f"C-{n}", stripe_customer_id=f"cus_{n}", currency="EUR")
        for n in range(customers)
    )
    Subscription.objects.bulk_create(
        Subscription(
            reference=f"sub_{n}", customer=row, plan="old", fee_minor=1, currency="EUR",
            stripe_subscription_id=f"sub_{n}", started_at=now,
        )
        for n, row in enumerate(rows)
    )  # fmt: skip
    awards = Award.objects.bulk_create(
        Award(
            source="goodwill", customer=row, benefit="credit", amount_minor=CREDIT_MINOR,
            currency="EUR", state="issued", issued_at=now, given_by=giver, reason="Sorry.",
        )
        for row in rows
    )  # fmt: skip
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda award: _history(sandbox, award), awards))
    _credit(awards)
    return awards


def _history(sandbox: SandboxControl, award: Award) -> None:
    """At Stripe: a changed subscription, our credit, an invoice, a credit by hand, another one."""
    name = str(award.customer.stripe_customer_id)
    _call("POST", f"subscriptions/{name.replace('cus', 'sub')}", "metadata[plan]=Business")
    award.stripe_id = str(_post(f"customers/{name}/balance_transactions", -CREDIT_MINOR)["id"])
    sandbox.bill(customer=name)
    if award.pk % 3 == 0:
        _post(f"customers/{name}/balance_transactions", -3_000)
    sandbox.bill(customer=name, amount=4_000, currency="eur")


def _post(path: str, amount: int) -> dict[str, Any]:
    return _call("POST", path, f"amount={amount}&currency=eur")


def _call(method: str, path: str, body: str | None = None) -> dict[str, Any]:
    address = settings.STRIPE_API_BASE.partition("//")[2]
    line = HTTPConnection(address, timeout=60)
    line.request(method, f"/v1/{path}", body, {"Authorization": "Bearer sk_test_bench"})
    answer = json.loads(line.getresponse().read())
    line.close()
    return dict(answer)


def _credit(awards: list[Award]) -> None:
    record_entries(
        [
            NewEntry(
                kind="credit", customer_id=award.customer_id, award_id=award.pk,
                amount_minor=CREDIT_MINOR, currency="EUR", stripe_id=award.stripe_id,
                booked_at=timezone.now(),
            )
            for award in awards
        ]
    )  # fmt: skip


def _events() -> list[dict[str, Any]]:
    """All that happened at the sandbox, the oldest first."""
    found: list[dict[str, Any]] = []
    while True:
        after = f"&starting_after={found[-1]['id']}" if found else ""
        page = _call("GET", f"events?limit=100{after}")
        found += page["data"]
        if not page["has_more"]:
            return found[::-1]


def _shuffled(events: list[dict[str, Any]], deliveries: int) -> list[bytes]:
    """The events, told anew under other ids until there are enough; a fifth twice; no order."""
    chance = random.Random(7)  # noqa: S311 - repeatable
    unique = deliveries * 4 // 5
    bodies = []
    for number in range(unique):
        event = events[number % len(events)]
        bodies.append(json.dumps({**event, "id": f"{event['id']}_{number}"}, indent=2).encode())
    bodies += chance.sample(bodies, deliveries - unique)
    chance.shuffle(bodies)
    return bodies


def _handled() -> State:
    """The state once everything is handled."""
    while StripeEvent.objects.filter(state="waiting").exists():
        handle_events()
    return _state()


def _state() -> State:
    """The mirror and the ledger, without what tells when we wrote them."""
    return (
        list(
            Customer.objects.order_by("pk").values_list(
                "reference", "name", "email", "currency", "stripe_customer_id"
            )
        ),
        list(
            Subscription.objects.order_by("pk").values_list(
                "reference", "plan", "fee_minor", "status", "period_end"
            )
        ),
        sorted(
            LedgerEntry.objects.values_list(
                "award", "kind", "amount_minor", "currency", "stripe_id", "note"
            )
        ),
    )


def _forget(awards: list[Award]) -> None:
    """As it was before the events: nothing told, nothing used, an old mirror."""
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE compensation_ledgerentry, compensation_balancereading, webhooks_stripeevent"
            " CASCADE"
        )
    Customer.objects.update(name="", email="")
    Subscription.objects.update(plan="old", fee_minor=1, status="past_due", period_end=None,
                                period_start=None)  # fmt: skip
    _credit(awards)


def _send(port: int, bodies: list[bytes]) -> float:
    """All deliveries from SENDERS threads; the seconds from the first to the last answer."""
    left = iter(bodies)
    lock = threading.Lock()
    refused: list[str] = []

    def work() -> None:
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        while not refused:
            with lock:
                body = next(left, None)
            if body is None:
                break
            line.request("POST", "/webhooks/stripe/", body, _signed(body))
            answer = line.getresponse()
            text = answer.read()
            if answer.status != 200:
                refused.append(f"{answer.status} {text[:500]!r}")
        line.close()

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused:
        raise AssertionError(refused[0])
    return time.monotonic() - started


def _signed(body: bytes) -> dict[str, str]:
    now = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), now.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Content-Type": "application/json", "Stripe-Signature": f"t={now},v1={mac}"}


@contextmanager
def _web(environment: dict[str, str], queue: str, log: Path) -> Iterator[int]:
    """Two web processes as production runs them; the port they listen on."""
    command = [sys.executable, "-m", "gunicorn", "backoffice.wsgi", "-w", "2", "--threads", "4"]
    command += ["-b", "127.0.0.1:0", "--log-level", "info", "--keep-alive", "30"]
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own module and arguments
            command,
            cwd=PROJECT,
            env={
                **os.environ,
                **environment,
                "AMENDS_ENVIRONMENT": "local",
                "DATABASE_URL": database_url(),
                "BROKER_URL": settings.BROKER_URL,
                "CELERY_QUEUE": queue,
                "LOG_LEVEL": "WARNING",
            },
            stdout=stream,
            stderr=stream,
        )
    try:
        wait_until(lambda: log.read_bytes().count(b"Booting worker") == 2, 60)
        address = log.read_text(encoding="utf-8").partition("http://127.0.0.1:")[2]
        yield int(address.split()[0])
    finally:
        process.terminate()
        process.wait(30)
