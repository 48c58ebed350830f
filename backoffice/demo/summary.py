"""What the demo prints: figures, addresses and sign-ins."""

import json
from typing import Any

from django.core.management.base import OutputWrapper
from django.urls import reverse

from backoffice.demo import flood as flooding
from backoffice.demo.people import Cast
from backoffice.demo.stage import PLACE, Stage
from backoffice.demo.story import Tale
from backoffice.money import format_money
from compensation.models import Batch
from incidents.models import Incident
from support.models import Ticket


def print_summary(out: OutputWrapper, result: dict[str, Any], tale: Tale) -> None:
    """The story's figures, ours beside the sandbox's."""
    out.write(f"\n{tale.incident}: {tale.exposed:,} of {tale.customers:,} customers were hit.")
    out.write(
        f"Batch {tale.batch}: {result['awards']:,} awards, {result['issued']:,} issued, "
        f"{result['failed']:,} failed, {result['unknown']:,} unknown; "
        f"{result['trial_extensions']:,} trials extended."
    )
    for currency, amount in result["amount_minor"].items():
        there = result["sandbox_amount_minor"].get(currency, 0)
        sign = "=" if there == amount else "≠"
        out.write(
            f"  {format_money(amount, currency):>18} in our ledger  {sign}  "
            f"{format_money(there, currency):>18} at Stripe (sandbox)"
        )
    if result["flood"]:
        out.write(flooding.in_words(result["flood"]))
    seconds = ", ".join(f"{name} {took} s" for name, took in result["seconds"].items())
    out.write(f"Took: {seconds}\n")


def print_addresses(out: OutputWrapper, scene: Stage, cast: Cast, tale: Tale) -> None:
    """Where to look, and as whom."""
    out.write(f"Back office  {scene.web_url}/admin/   (password of everybody: {cast.password})")
    for role, user in cast.staff.items():
        out.write(f"  {role:<17} {user.email}")
    out.write(f"Customer     {tale.portal_url}   (opens once; {tale.featured})")
    out.write(f"  or sign in at {scene.web_url}/account/ as {tale.featured.email};")
    out.write(f"  the mail with the code lies in {PLACE / 'mail'}")
    out.write(f"Stripe       {scene.sandbox_url}/   (the sandbox: no real money)")
    out.write(
        f"API          {scene.web_url}/api/v1/schema/   Authorization: Api-Key {cast.api_key}"
    )
    out.write("An incident is running, and a batch waits for the approver.")
    out.write("\nCtrl-C stops everything.")


def write_addresses(
    scene: Stage, cast: Cast, tale: Tale, *, incident: Incident, batch: Batch
) -> None:
    """The same for programs, such as the one that makes the screenshots; readable by us only."""
    pages = {
        "dashboard": reverse("admin:index"),
        "incident": reverse("admin:incidents_incident_change", args=[incident.pk]),
        "batch": reverse("admin:compensation_batch_change", args=[batch.pk]),
        "issued": reverse("admin:compensation_batch_change", args=[tale.batch.pk]),
        **_desk(tale),
        "policy": reverse("admin:compensation_policyversion_change", args=[tale.batch.version_id]),
    }
    file = PLACE / "addresses.json"
    file.touch(mode=0o600)
    content = {
        "web": scene.web_url,
        "stripe": scene.sandbox_url,
        "password": cast.password,
        "staff": {role: user.email for role, user in cast.staff.items()},
        "api_key": cast.api_key,
        "portal": tale.portal_url,
        "pages": pages,
    }
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def _desk(tale: Tale) -> dict[str, str]:
    """The desk's pages; the ticket is one with a conversation."""
    pages = {
        "queue": reverse("admin:support_ticket_changelist"),
        "reports": reverse("support-reports"),
    }
    linked = Ticket.objects.filter(incident=tale.incident).order_by("-messages_count", "-score")
    if ticket := linked.first():
        pages["ticket"] = reverse("admin:support_ticket_change", args=[ticket.pk])
    if tale.flood and tale.flood.mass_reply:
        sent = tale.flood.mass_reply.pk
        pages["mass_reply"] = reverse("admin:support_massreply_change", args=[sent])
    return pages
