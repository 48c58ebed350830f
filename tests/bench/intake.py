"""Open tickets by the API while an outage runs, with everything of the desk switched on.

Two web processes take the requests, two workers match, clock, score, apply rules, tell webhooks
and assign; all of that, the database and the requests themselves share the
machine's cores. The rate is that of the accepted requests; a ticket counts as lost unless it is
there and all that follows from it has followed.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from backoffice.customers.models import Component
from backoffice.rest.models import ApiKey, Scope
from incidents.cohorts import add_cohort, resolve
from incidents.models import Incident, Outage
from support.models import (
    Agent,
    AutomationRule,
    Calendar,
    CalendarSlot,
    Queue,
    SlaPolicy,
    Ticket,
    TicketEvent,
    WebhookEndpoint,
)
from tests.bench.result import Result
from tests.worker import PROJECT, WorkerProcess, database_url, wait_until

BAR = 1.0
PER_SECOND = 150
TICKETS = 6_000
CUSTOMERS = 50_000
WARM = 100  # requests before the clock starts
SENDERS = 8
AGENTS = 10
SUBJECTS = [
    ("No internet since two", "The line is dead, nothing works. It is urgent."),
    ("Internet ausgefallen", "Seit 14 Uhr geht nichts mehr, bitte sofort beheben."),
    ("Question about my invoice", "Why is it higher than last month? Thanks."),
    ("Интернет не работает", "Связи нет с двух часов, срочно помогите."),
]
CUSTOMERS_SQL = """
INSERT INTO customers_customer (reference, name, email, language, country, segment, time_zone,
                                currency, created_at, updated_at)
SELECT 'C-' || n, 'Customer ' || n, 'c' || n || '@example.com',
       (ARRAY['en', 'de', 'en', 'ru'])[1 + n %% 4], 'DE', '', 'UTC', 'EUR', now(), now()
FROM generate_series(1, %(customers)s) AS n
"""
SUBSCRIPTIONS_SQL = """
INSERT INTO customers_subscription (reference, customer_id, plan, fee_minor, currency,
                                    interval_months, status, region, started_at, updated_at)
SELECT 'S-' || id, id, (ARRAY['Business', 'Consumer'])[1 + id %% 2], 4990, 'EUR', 1, 'active', '',
       timestamptz '2024-01-01Z', now()
FROM customers_customer WHERE id <= %s
"""
USES_SQL = """
INSERT INTO customers_componentuse (subscription_id, component_id)
SELECT id, %(component)s FROM customers_subscription WHERE id %% 3 <> 0
"""


def run(scale: float) -> Result:
    """At `scale` 1 about a minute."""
    tickets = max(200, round(TICKETS * scale))
    with tempfile.TemporaryDirectory() as folder, _sink() as sink:
        _desk(sink.server_port)
        worker = WorkerProcess(log=Path(folder, "worker.log"), environment=_environment())
        other = WorkerProcess(
            log=Path(folder, "other.log"), environment=_environment(), queue=worker.queue
        )
        web = Path(folder, "web.log")
        with worker.start(), other.start(), _web(worker.queue, web) as port:
            secret = _key()
            _send(port, secret, WARM)
            seconds = _send(port, secret, tickets, first=WARM)
            started = time.monotonic()
            worker.send("support.tasks.process_events")
            wait_until(lambda: not TicketEvent.objects.filter(processed_at=None).exists(), 300)
            behind = time.monotonic() - started
    opened = Ticket.objects.count()
    linked = Ticket.objects.exclude(incident=None).count()
    broken = TicketEvent.objects.exclude(error="").count()
    if opened != WARM + tickets or broken:
        raise AssertionError(f"{WARM + tickets} sent, {opened} are there, {broken} events failed.")
    return Result(
        ours=tickets / seconds,
        reference=PER_SECOND,
        bar=BAR,
        unit="/s",
        more_is_better=True,
        notes=f"{tickets} tickets, none lost; all that follows was done {behind:.1f} s after the "
        f"last; {linked} linked, {Ticket.objects.exclude(assignee=None).count()} assigned, "
        f"{Ticket.objects.exclude(due_at=None).count()} with a deadline",
    )


def _environment() -> dict[str, str]:
    return {
        "API_RATE": "10000000/min",
        "EMAIL_URL": "dummymail://",
        "SECRET_KEY": settings.SECRET_KEY,
    }


def _desk(sink: int) -> None:
    """An outage that runs, promises, rules, a webhook, and agents who are given what they can."""
    with connection.cursor() as cursor:
        cursor.execute(CUSTOMERS_SQL, {"customers": CUSTOMERS})
        cursor.execute(SUBSCRIPTIONS_SQL, [CUSTOMERS])
        fibre = Component.objects.create(key="fibre", name="Fibre internet")
        cursor.execute(USES_SQL, {"component": fibre.pk})
        cursor.execute("ANALYZE")
    start = timezone.now() - timedelta(hours=2)
    incident = Incident.objects.create(
        number="INC-2026-001", title="Fibre internet outage", started_at=start
    )
    Outage.objects.create(incident=incident, component=fibre, impact="major", starts_at=start)
    add_cohort(incident=incident, name="All", source="condition", condition="", by=None)
    resolve(incident)
    calendar = Calendar.objects.create(name="Week", time_zone="Europe/Berlin", country="DE")
    for weekday in range(7):
        CalendarSlot.objects.create(
            calendar=calendar, weekday=weekday, from_minute=0, to_minute=1440
        )
    SlaPolicy.objects.create(
        name="Business", calendar=calendar, condition='plan = "Business"',
        first_response_minutes=30, next_response_minutes=60, resolution_minutes=480,
    )  # fmt: skip
    SlaPolicy.objects.create(
        name="Standard", position=1, calendar=calendar, first_response_minutes=240
    )
    AutomationRule.objects.create(
        name="Invoices", on_events=["opened"], condition='subject ~ "invoice"',
        actions=[{"do": "add_tags", "tags": ["invoice"]}],
    )  # fmt: skip
    AutomationRule.objects.create(
        name="Urgent", on_events=["opened"], condition="band >= 3",
        actions=[{"do": "add_tags", "tags": ["look"]}],
    )  # fmt: skip
    WebhookEndpoint.objects.create(
        name="Sink", url=f"http://127.0.0.1:{sink}/", secret="whsec_" + "c2VjcmV0" * 4,
        on_events=["opened"],
    )  # fmt: skip
    queue = Queue.objects.get(is_default=True)
    queue.assignment = Queue.Assignment.LEAST_LOADED
    queue.save()
    for number in range(AGENTS):
        user = User.objects.create_user(f"agent{number}@example.com", is_staff=True)
        user.groups.add(Group.objects.get(name=Role.SUPPORT_AGENT))
        Agent.objects.create(user=user, capacity=50)


def _key() -> str:
    _key, secret = ApiKey.objects.create_key(name="bench", scopes=[Scope.TICKETS_WRITE])
    return str(secret)


@contextmanager
def _sink() -> Iterator[ThreadingHTTPServer]:
    """Somebody else's system that takes every webhook."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def _web(queue: str, log: Path) -> Iterator[int]:
    """Two web processes as production runs them; the port they listen on."""
    command = [sys.executable, "-m", "gunicorn", "backoffice.wsgi", "-w", "2", "--threads", "4"]
    command += ["-b", "127.0.0.1:0", "--log-level", "info", "--keep-alive", "30"]
    environment = {
        **os.environ,
        **_environment(),
        "AMENDS_ENVIRONMENT": "local",
        "DATABASE_URL": database_url(),
        "BROKER_URL": settings.BROKER_URL,
        "CELERY_QUEUE": queue,
        "LOG_LEVEL": "WARNING",
    }
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own module and arguments
            command, cwd=PROJECT, env=environment, stdout=stream, stderr=stream
        )
    try:
        wait_until(lambda: log.read_bytes().count(b"Booting worker") == 2, 60)
        address = log.read_text(encoding="utf-8").partition("http://127.0.0.1:")[2]
        yield int(address.split()[0])
    finally:
        process.terminate()
        process.wait(30)


def _send(port: int, secret: str, tickets: int, first: int = 0) -> float:
    """All requests from SENDERS threads; the seconds from the first to the last answer."""
    numbers = iter(range(first, first + tickets))
    lock = threading.Lock()
    refused: list[str] = []

    def work() -> None:
        line = HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Api-Key {secret}", "Content-Type": "application/json"}
        while not refused:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            headers["Idempotency-Key"] = f"{number}-{secrets.token_hex(4)}"
            line.request("POST", "/api/v1/tickets/", json.dumps(_ticket(number)), headers)
            answer = line.getresponse()
            body = answer.read()
            if answer.status != 201:
                refused.append(f"{answer.status} {body[:500]!r}")
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


def _ticket(number: int) -> dict[str, str]:
    subject, text = SUBJECTS[number % len(SUBJECTS)]
    return {"subject": subject, "text": text, "customer": f"C-{1 + number * 7 % CUSTOMERS}"}
