"""The health checks: each raises, in words that hold nothing secret, when something is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error, connection
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable, ServiceWarning
from kombu import Connection

from backoffice.operation import figures


@dataclass
class Check(HealthCheck):  # type: ignore[misc] # has no types
    """One that runs in the request's own thread, on its connection."""

    title: ClassVar[str]

    async def run(self) -> None:
        await sync_to_async(self.look)()

    def look(self) -> None:
        """Raise HealthCheckException when something is wrong."""
        raise NotImplementedError


@dataclass
class Database(Check):
    """It answers."""

    title = "database"

    def look(self) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Error as error:
            raise ServiceUnavailable("no answer") from error


@dataclass
class Broker(Check):
    """Celery's messages find it; without it beat and workers stand still, and no work is lost."""

    title = "broker"

    def look(self) -> None:
        try:
            with Connection(settings.CELERY_BROKER_URL, connect_timeout=2) as broker:
                broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        except Exception as error:  # each transport raises errors of its own
            raise ServiceUnavailable("no answer") from error


@dataclass
class Worker(Check):
    """A worker did what beat sent, lately."""

    title = "worker"

    def look(self) -> None:
        at = figures.last_heartbeat()
        if at is None:
            raise ServiceUnavailable("no worker has ever answered: start worker and beat")
        age = figures.age_of(at)
        if age > settings.HEALTH_WORKER_SECONDS:
            raise ServiceUnavailable(f"no worker has answered for {age:.0f} s")


@dataclass
class Age(Check):
    """Nothing waits for longer than its threshold."""

    what: ClassVar[str]
    setting: ClassVar[str]
    age: ClassVar[Callable[[], float]]

    def look(self) -> None:
        age = type(self).age()
        if age > getattr(settings, self.setting):
            raise ServiceWarning(f"{self.what} has waited for {age:.0f} s")


@dataclass
class UnsentAward(Age):
    title = "issuing"
    what = "an award that could be sent"
    setting = "HEALTH_UNSENT_SECONDS"
    age = staticmethod(figures.oldest_unsent)


@dataclass
class Webhooks(Age):
    title = "webhooks"
    what = "an event of Stripe's"
    setting = "HEALTH_WEBHOOK_SECONDS"
    age = staticmethod(figures.oldest_webhook)


@dataclass
class MailOut(Age):
    title = "mail out"
    what = "an answer"
    setting = "HEALTH_MAIL_SECONDS"
    age = staticmethod(figures.oldest_mail_out)


@dataclass
class MailIn(Age):
    title = "mail in"
    what = "something received"
    setting = "HEALTH_MAIL_SECONDS"
    age = staticmethod(figures.oldest_mail_in)


@dataclass
class TicketEvents(Age):
    title = "ticket events"
    what = "what happened to a ticket"
    setting = "HEALTH_MAIL_SECONDS"
    age = staticmethod(figures.oldest_ticket_event)


# Without these no page can be served.
READY = (Database, Broker)
ALL = (*READY, Worker, UnsentAward, Webhooks, MailOut, MailIn, TicketEvents)
