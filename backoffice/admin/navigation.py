"""The sidebar: grouped by who works there, without what the reader may not open."""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from compensation.models import Batch, Claim, Finding, ReversalRequest
from incidents.models import Incident


class Item(NamedTuple):
    """One line of the sidebar: the page's URL name and the permission that opens it."""

    title: Any
    icon: str
    url_name: str
    permission: str = ""


GROUPS: list[tuple[Any, list[Item]]] = [
    ("", [Item(_("Work"), "dashboard", "admin:index")]),
    (
        _("Incidents"),
        [
            Item(
                _("Incidents"),
                "bolt",
                "admin:incidents_incident_changelist",
                "incidents.view_incident",
            ),
        ],
    ),
    (
        _("Support"),
        [
            Item(
                _("Tickets"),
                "inbox",
                "admin:support_ticket_changelist",
                "support.view_ticket",
            ),
            Item(
                _("Queues"),
                "stacks",
                "admin:support_queue_changelist",
                "support.view_queue",
            ),
            Item(
                _("Agents"),
                "support_agent",
                "admin:support_agent_changelist",
                "support.view_agent",
            ),
            Item(
                _("Rules"),
                "bolt",
                "admin:support_automationrule_changelist",
                "support.view_automationrule",
            ),
            Item(
                _("Macros"),
                "quickreply",
                "admin:support_macro_changelist",
                "support.view_macro",
            ),
            Item(
                _("Received"),
                "mark_email_read",
                "admin:support_inbound_changelist",
                "support.view_inbound",
            ),
            Item(
                _("Mass replies"),
                "forward_to_inbox",
                "admin:support_massreply_changelist",
                "support.view_massreply",
            ),
            Item(
                _("Incident matches"),
                "link",
                "admin:support_incidentmatch_changelist",
                "support.view_incidentmatch",
            ),
            Item(_("Reports"), "monitoring", "support-reports", "support.see_reports"),
            Item(
                _("Surveys"),
                "thumbs_up_down",
                "admin:support_survey_changelist",
                "support.view_survey",
            ),
        ],
    ),
    (
        _("Compensation"),
        [
            Item(
                _("Batches"),
                "inventory",
                "admin:compensation_batch_changelist",
                "compensation.view_batch",
            ),
            Item(
                _("Awards"),
                "redeem",
                "admin:compensation_award_changelist",
                "compensation.view_award",
            ),
            Item(
                _("Claims"),
                "front_hand",
                "admin:compensation_claim_changelist",
                "compensation.view_claim",
            ),
            Item(
                _("Reversals"),
                "undo",
                "admin:compensation_reversalrequest_changelist",
                "compensation.view_reversalrequest",
            ),
            Item(
                _("Policies"),
                "table",
                "admin:compensation_policy_changelist",
                "compensation.view_policy",
            ),
            Item(
                _("Goodwill"),
                "volunteer_activism",
                "admin:support_goodwill_changelist",
                "support.view_goodwill",
            ),
            Item(
                _("Ledger"),
                "receipt_long",
                "admin:compensation_ledgerentry_changelist",
                "compensation.view_ledgerentry",
            ),
            Item(
                _("Stripe’s events"),
                "webhook",
                "admin:webhooks_stripeevent_changelist",
                "webhooks.view_stripeevent",
            ),
            Item(
                _("Balances"),
                "account_balance_wallet",
                "admin:compensation_ledgerentry_balances",
                "compensation.view_ledgerentry",
            ),
            Item(
                _("Books"),
                "menu_book",
                "admin:compensation_ledgerentry_books",
                "compensation.view_ledgerentry",
            ),
            Item(
                _("Reconciliation"),
                "balance",
                "admin:compensation_reconciliationrun_changelist",
                "compensation.view_reconciliationrun",
            ),
        ],
    ),
    (
        _("Customers"),
        [
            Item(
                _("Customers"),
                "groups",
                "admin:customers_customer_changelist",
                "customers.view_customer",
            ),
            Item(
                _("Subscriptions"),
                "autorenew",
                "admin:customers_subscription_changelist",
                "customers.view_subscription",
            ),
            Item(
                _("Components"),
                "widgets",
                "admin:customers_component_changelist",
                "customers.view_component",
            ),
            Item(
                _("Imports"),
                "upload_file",
                "admin:customers_customerimport_changelist",
                "customers.view_customerimport",
            ),
        ],
    ),
    (
        _("People and access"),
        [
            Item(_("Users"), "person", "admin:accounts_user_changelist", "accounts.view_user"),
            Item(_("Roles"), "badge", "admin:auth_group_changelist", "auth.view_group"),
            Item(_("API keys"), "key", "admin:rest_apikey_changelist", "rest.view_apikey"),
        ],
    ),
    (
        _("Settings"),
        [
            Item(
                _("Second approver above"),
                "how_to_reg",
                "admin:compensation_approvalthreshold_changelist",
                "compensation.view_approvalthreshold",
            ),
            Item(
                _("Budgets"),
                "savings",
                "admin:compensation_budget_changelist",
                "compensation.view_budget",
            ),
            Item(
                _("Webhooks"),
                "webhook",
                "admin:support_webhookendpoint_changelist",
                "support.view_webhookendpoint",
            ),
            Item(
                _("Priority weights"),
                "balance",
                "admin:support_prioritysetting_changelist",
                "support.view_prioritysetting",
            ),
            Item(
                _("Priority words"),
                "mood",
                "admin:support_priorityword_changelist",
                "support.view_priorityword",
            ),
            Item(
                _("SLA policies"),
                "timer",
                "admin:support_slapolicy_changelist",
                "support.view_slapolicy",
            ),
            Item(
                _("Business calendars"),
                "calendar_month",
                "admin:support_calendar_changelist",
                "support.view_calendar",
            ),
            Item(
                _("Goodwill limits"),
                "volunteer_activism",
                "admin:support_goodwilllimit_changelist",
                "support.view_goodwilllimit",
            ),
            Item(
                _("Issuing switch"),
                "power_settings_new",
                "admin:compensation_issuingcontrol_changelist",
                "compensation.view_issuingcontrol",
            ),
        ],
    ),
    (
        _("Audit"),
        [
            Item(_("History"), "history", "history", "pghistory.view_events"),
            Item(
                _("Privacy"),
                "shield_person",
                "admin:support_privacyrequest_changelist",
                "support.view_privacyrequest",
            ),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar: groups with at least one page the reader may open."""
    badges = _badges(request)
    groups = []
    for title, items in GROUPS:
        allowed = [
            _entry(item, badges)
            for item in items
            if not item.permission or request.user.has_perm(item.permission)
        ]
        if allowed:
            groups.append({"title": title, "items": allowed})
    return groups


def _entry(item: Item, badges: dict[str, int]) -> dict[str, Any]:
    entry = {"title": item.title, "icon": item.icon, "link": reverse(item.url_name)}
    if count := badges.get(item.url_name):
        entry |= {"badge": str(count), "badge_variant": "warning"}
    return entry


def _badges(request: HttpRequest) -> dict[str, int]:
    """How many wait for this reader: counts over small, indexed sets."""
    badges = {}
    if request.user.has_perm("incidents.view_incident"):
        badges["admin:incidents_incident_changelist"] = Incident.objects.running().count()
    if request.user.has_perm("compensation.approve_batch"):
        waiting = Batch.objects.filter(state=Batch.State.SUBMITTED)
        badges["admin:compensation_batch_changelist"] = waiting.count()
    # agents find them among their tickets
    if request.user.has_perms(("compensation.settle_claim", "compensation.submit_batch")):
        asked_of_us = Claim.objects.filter(state=Claim.State.WITH_PERSON)
        badges["admin:compensation_claim_changelist"] = asked_of_us.count()
    if request.user.has_perm("compensation.settle_finding"):
        still_open = Finding.objects.filter(state=Finding.State.OPEN)
        badges["admin:compensation_reconciliationrun_changelist"] = still_open.count()
    if request.user.has_perm("compensation.approve_reversal"):
        asked = ReversalRequest.objects.filter(state=ReversalRequest.State.ASKED)
        badges["admin:compensation_reversalrequest_changelist"] = asked.count()
    return badges
