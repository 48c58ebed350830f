"""The roles and what each may do: Django groups made by a migration, filled after every one.

A role's permissions live here and nowhere else; a change in the admin's group form would be
undone by the next `migrate`, so that form is read-only.
"""

from typing import Any

from django.apps import AppConfig
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The groups' names as stored."""

    SUPPORT_AGENT = "Support agent"
    SUPPORT_LEAD = "Support lead"
    FINANCE = "Finance"
    FINANCE_APPROVER = "Finance approver"
    INCIDENT_MANAGER = "Incident manager"
    COMMUNICATIONS = "Communications"
    AUDITOR = "Auditor"
    ADMINISTRATOR = "Administrator"


# What each may do, for the person who gives the roles.
MEANING: dict[Role, Any] = {
    Role.SUPPORT_AGENT: _("works the tickets of their queues; gives goodwill within limits"),
    Role.SUPPORT_LEAD: _("works all tickets, answers all of an incident; sets the desk up"),
    Role.FINANCE: _("writes policies; makes, prices and submits batches; pauses issuing"),
    Role.FINANCE_APPROVER: _("approves or rejects what others submitted; pauses issuing"),
    Role.INCIDENT_MANAGER: _("declares and leads incidents; answers all their tickets"),
    Role.COMMUNICATIONS: _("sees customers and incidents, no money"),
    Role.AUDITOR: _("sees everything, people and history too; changes nothing"),
    Role.ADMINISTRATOR: _("makes users and API keys, imports customers; approves no money"),
}

SEE_CUSTOMERS = {
    "customers.view_customer",
    "customers.view_subscription",
    "customers.view_component",
    "customers.view_componentuse",
}
SEE_INCIDENTS = {
    "incidents.view_incident",
    "incidents.view_incidentupdate",
    "incidents.view_outage",
    "incidents.view_cohort",
    "incidents.view_exposure",
}
SEE_MONEY = {
    "compensation.view_policy",
    "compensation.view_policyversion",
    "compensation.view_rule",
    "compensation.view_batch",
    "compensation.view_approval",
    "compensation.view_award",
    "compensation.view_ledgerentry",
    "compensation.view_issuingcontrol",
    "compensation.view_approvalthreshold",
    "compensation.view_budget",
    "compensation.view_reversalrequest",
    "compensation.view_claim",
}
EXPORT_BOOKS = {"compensation.export_ledger"}
SEE_RECONCILIATION = {"compensation.view_reconciliationrun", "compensation.view_finding"}
SEE_EVENTS = {"webhooks.view_stripeevent"}
SETTLE_EVENTS = SEE_EVENTS | {"webhooks.settle_stripeevent"}
SEE_WORK = SEE_CUSTOMERS | SEE_INCIDENTS | SEE_MONEY
SEE_DESK = {
    "support.view_ticket",
    "support.view_message",
    "support.view_ticketevent",
    "support.view_attachment",
    "support.view_queue",
    "support.view_agent",
    "support.view_slapolicy",
    "support.view_calendar",
    "support.view_macro",
    "support.view_prioritysetting",
    "support.view_priorityword",
    "support.view_massreply",
    "support.view_incidentmatch",
    "support.view_goodwill",
    "support.view_goodwilllimit",
    "support.view_survey",
}
SETTLE_CLAIMS = {"compensation.settle_claim"}
WORK_DESK = SEE_DESK | SETTLE_CLAIMS | {"support.answer_ticket", "compensation.give_goodwill"}
PAUSE = {"compensation.pause_batch", "compensation.stop_issuing"}


def _all_of(*models_: str) -> set[str]:
    """View, add, change and delete of the desk's settings."""
    return {
        f"support.{verb}_{model}"
        for model in models_
        for verb in ("view", "add", "change", "delete")
    }


PERMISSIONS: dict[Role, set[str]] = {
    Role.SUPPORT_AGENT: SEE_WORK | WORK_DESK | {"support.merge_ticket"},
    Role.SUPPORT_LEAD: SEE_WORK
    | WORK_DESK
    | {"support.merge_ticket", "support.see_all_queues", "support.send_mass_reply"}
    | {
        "support.share_savedview",
        "support.see_reports",
        "support.change_agent",
        "support.change_prioritysetting",
    }
    | _all_of("queue", "slapolicy", "calendar", "macro", "automationrule", "priorityword")
    | {"support.view_rulerun", "support.view_inbound"},
    Role.FINANCE: SEE_WORK
    | PAUSE
    | SETTLE_EVENTS
    | EXPORT_BOOKS
    | SEE_RECONCILIATION
    | SETTLE_CLAIMS
    | {
        "compensation.run_reconciliation",
        "compensation.settle_finding",
        "compensation.add_policy",
        "compensation.change_policy",
        "compensation.add_policyversion",
        "compensation.change_policyversion",
        "compensation.activate_policyversion",
        "compensation.add_rule",
        "compensation.change_rule",
        "compensation.delete_rule",
        "compensation.add_batch",
        "compensation.price_batch",
        "compensation.submit_batch",
        "compensation.cancel_batch",
        "compensation.exclude_award",
        "compensation.retry_award",
        "compensation.ask_reversal",
    },
    Role.FINANCE_APPROVER: SEE_WORK
    | PAUSE
    | SEE_EVENTS
    | EXPORT_BOOKS
    | SEE_RECONCILIATION
    | {
        "compensation.approve_batch",
        "compensation.decide_award",
        "compensation.ask_reversal",
        "compensation.approve_reversal",
        "compensation.exclude_award",
        "compensation.retry_award",
    },
    Role.INCIDENT_MANAGER: SEE_WORK
    | SEE_DESK
    | {
        "support.see_all_queues",
        "support.send_mass_reply",
        "customers.add_component",
        "customers.change_component",
        "incidents.add_incident",
        "incidents.change_incident",
        "incidents.add_outage",
        "incidents.change_outage",
        "incidents.delete_outage",
        "incidents.add_cohort",
        "incidents.change_cohort",
        "incidents.delete_cohort",
    },
    Role.COMMUNICATIONS: SEE_CUSTOMERS | SEE_INCIDENTS,
    Role.AUDITOR: SEE_WORK
    | SEE_DESK
    | SEE_EVENTS
    | EXPORT_BOOKS
    | SEE_RECONCILIATION
    | {
        "support.see_all_queues",
        "support.see_reports",
        "support.view_automationrule",
        "support.view_rulerun",
        "support.view_inbound",
        "support.view_webhookendpoint",
        "support.view_webhookdelivery",
        "support.view_privacyrequest",
        "accounts.view_user",
        "auth.view_group",
        "rest.view_apikey",
        "pghistory.view_events",
        "operation.view_heartbeat",
        "customers.view_customerimport",
        "customers.view_portalsession",
    },
    Role.ADMINISTRATOR: SEE_WORK
    | PAUSE
    | SETTLE_EVENTS
    | SEE_RECONCILIATION
    | SEE_DESK
    | _all_of("queue", "agent", "goodwilllimit", "webhookendpoint")
    | {
        "support.see_all_queues",
        "support.see_reports",
        "support.view_webhookdelivery",
        "support.view_inbound",
        "support.view_privacyrequest",
        "support.export_person",
        "support.erase_person",
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
        "auth.view_group",
        "rest.view_apikey",
        "rest.add_apikey",
        "rest.change_apikey",
        "pghistory.view_events",
        "operation.view_heartbeat",
        "customers.add_customer",
        "customers.change_customer",
        "customers.add_subscription",
        "customers.change_subscription",
        "customers.add_component",
        "customers.change_component",
        "customers.add_componentuse",
        "customers.change_componentuse",
        "customers.delete_componentuse",
        "customers.import_customers",
        "customers.view_customerimport",
        "customers.view_portalsession",
        "compensation.add_approvalthreshold",
        "compensation.change_approvalthreshold",
        "compensation.delete_approvalthreshold",
        "compensation.add_budget",
        "compensation.change_budget",
        "compensation.delete_budget",
    },
}


def grant_permissions(sender: AppConfig, using: str = "default", **more: Any) -> None:
    """After each app's migration: give every role exactly its permissions in that app."""
    from django.apps import apps

    permission_model = apps.get_model("auth", "Permission")
    group_model = apps.get_model("auth", "Group")
    permissions = {
        f"{sender.label}.{permission.codename}": permission
        for permission in permission_model.objects.using(using)
        .filter(content_type__app_label=sender.label)
        .order_by("pk")
    }
    if not permissions:
        return
    for role, wanted in PERMISSIONS.items():
        group, _created = group_model.objects.using(using).get_or_create(name=role.value)
        group.permissions.remove(*(p for name, p in permissions.items() if name not in wanted))
        group.permissions.add(*(p for name, p in permissions.items() if name in wanted))
