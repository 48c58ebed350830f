"""The Celery application; rows are the queue of record, messages carry ids only."""

import os
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

app = Celery("amends")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_web_does(**_named: Any) -> None:
    """Celery would set a level and a format of its own."""
    from django.conf import settings

    dictConfig(settings.LOGGING)


app.conf.beat_schedule = {
    "refresh-running-incidents": {
        "task": "incidents.tasks.refresh_running_incidents",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # That a worker lives; one that is busy for a minute lives, too.
    "beat-heart": {
        "task": "backoffice.operation.tasks.beat_heart",
        "schedule": 15.0,
        "options": {"expires": 100},
    },
    # Picks up what a lost message or a killed worker left behind; does nothing when there is none.
    "issue-awards": {
        "task": "compensation.tasks.issue_awards",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "draft-missing-batches": {
        "task": "compensation.tasks.draft_missing_batches",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "reconcile": {
        "task": "compensation.tasks.reconcile",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "run-backtests": {
        "task": "compensation.tasks.run_backtests",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    # Likewise for what happened to tickets.
    "process-ticket-events": {
        "task": "support.tasks.process_events",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "fetch-mail": {
        "task": "support.tasks.fetch_mail",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "handle-inbound": {
        "task": "support.tasks.handle_inbound",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "send-messages": {
        "task": "support.tasks.send_messages",
        "schedule": 5.0,
        "options": {"expires": 5},
    },
    "refresh-waiting-tickets": {
        "task": "support.tasks.refresh_waiting",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "tell-deadlines": {
        "task": "support.tasks.tell_deadlines",
        "schedule": 20.0,
        "options": {"expires": 20},
    },
    "recalculate-deadlines": {
        "task": "support.tasks.recalculate_deadlines",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "assign-waiting-tickets": {
        "task": "support.tasks.assign_waiting",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "run-timed-rules": {
        "task": "support.tasks.run_timed_rules",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "send-webhooks": {
        "task": "support.tasks.send_webhooks",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "forget-old-webhooks": {
        "task": "support.tasks.forget_webhooks",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "send-staff-notices": {
        "task": "support.tasks.send_staff_notices",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "write-mass-replies": {
        "task": "support.tasks.write_mass_replies",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "look-again-at-tickets": {
        "task": "support.tasks.look_again",
        "schedule": 30.0,
        "options": {"expires": 30},
    },
    "send-confirmations": {
        "task": "support.tasks.send_confirmations",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "ask-customers": {
        "task": "support.tasks.ask_customers",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
    "send-surveys": {
        "task": "support.tasks.send_surveys",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "finish-erasures": {
        "task": "support.tasks.finish_erasures",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "forget-unconfirmed-requests": {
        "task": "support.tasks.forget_unconfirmed",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "handle-stripe-events": {
        "task": "backoffice.webhooks.tasks.handle_events",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "forget-stripe-events": {
        "task": "backoffice.webhooks.tasks.forget_events",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "poll-balances": {
        "task": "backoffice.webhooks.tasks.poll_balances",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "forget-old-requests": {
        "task": "backoffice.rest.tasks.forget_old_requests",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
