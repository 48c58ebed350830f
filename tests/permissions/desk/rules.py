"""Conditions, agents, rules and webhooks."""

from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from support.models import Agent, AutomationRule, RuleRun, WebhookDelivery, WebhookEndpoint
from tests.permissions.desk.tickets import LEAD, SEES_DESK
from tests.permissions.rows import ADMINISTRATOR, AUDITS, Row, admin, pages
from tests.support.factories import agent, opened


def rows() -> Iterator[Row]:
    yield Row("ticket-condition-fields", SEES_DESK)
    yield Row("ticket-condition-values", SEES_DESK)
    setters = LEAD | ADMINISTRATOR
    yield from pages(
        "support", "agent", "agent",
        see=SEES_DESK, add=ADMINISTRATOR, change=setters, delete=ADMINISTRATOR,
    )  # fmt: skip
    # Of somebody else; one's own is everybody's on the desk.
    yield from admin("support_agent_absence", setters, "pk=agent")
    yield from admin("support_agent_back", setters, "pk=agent")
    see = LEAD | {"Auditor"}
    yield from pages(
        "support", "automationrule", "rule", see=see, add=LEAD, change=LEAD, delete=LEAD
    )
    yield from admin("support_automationrule_try", LEAD)
    yield from pages("support", "rulerun", "rule_run", see=see)
    yield from pages(
        "support", "webhookendpoint", "endpoint",
        see=AUDITS, add=ADMINISTRATOR, change=ADMINISTRATOR, delete=ADMINISTRATOR,
    )  # fmt: skip
    for verb in ("secret", "try", "on"):
        yield from admin(f"support_webhookendpoint_{verb}", ADMINISTRATOR, "pk=endpoint")
    yield from pages("support", "webhookdelivery", "delivery", see=AUDITS)
    yield from admin("support_webhookdelivery_again", ADMINISTRATOR, "pk=delivery")


def world(made: dict[str, Any]) -> dict[str, Any]:
    ticket = opened(subject="About a rule")
    event = ticket.events.get()
    rule = AutomationRule.objects.create(name="Rule", on_events=["opened"], is_active=False)
    endpoint = WebhookEndpoint.objects.create(
        name="CRM", url="http://no.such.host.invalid/", secret="whsec_eA==", is_active=False
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, payload={}, next_at=timezone.now()
    )
    return {
        "agent": Agent.objects.get(user=agent()).pk,
        "rule": rule.pk,
        "rule_run": RuleRun.objects.create(rule=rule, ticket=ticket, event=event).pk,
        "endpoint": endpoint.pk,
        "delivery": delivery.pk,
    }
