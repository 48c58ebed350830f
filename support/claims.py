"""Claims that a person must look at: each becomes a ticket with all that is known."""

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from backoffice.display import duration
from compensation.claims import note_ticket
from compensation.models import Claim
from support.automatic_answers import acknowledge
from support.matching import link
from support.models import Ticket
from support.models.ticket import Channel
from support.tickets import add_note, open_ticket

# Why the data did not decide it, for the agent.
REASONS = {
    "no_subscription": "They have several subscriptions or none, and named none.",
    "no_outage": "No outage of what they use is known in that time.",
    "other_component": "Something else that they use was out of order then, not what they name.",
    "several": "Several incidents hit them in that time.",
    "no_policy": "No policy was in force, so there is nothing to price it by.",
    "longer": "They say that it lasted much longer than we know.",
    "failed": "Their award failed at Stripe.",
    "reversed": "Their award was taken back.",
    "held_out": "They are in the hold-out group of this incident: they get nothing from its batch, "
    "so that its effect can be measured. Goodwill by hand is your decision.",
    "by_hand": "A person left them out of the batch: see its page for why.",
    "no_stripe_customer": "They have no Stripe customer, so nothing can be booked.",
    "no_stripe_subscription": "They have no subscription at Stripe, so no trial can be extended.",
    "cancelled": "Their subscription is cancelled, so the batch leaves them out.",
    "other_currency": "Stripe bills them in another currency than their subscription's.",
    "not_hit": "The outages do not cover their subscription, or a list says they were not hit.",
    "broken_terms": "The policy, or a cohort's condition, cannot be read any more: tell finance.",
    "unexplained": "The policy gives them nothing, and the reason needs a person: a cap, the least "
    "amount, or no row that fits them.",
}
DISAGREES = "They do not agree with the answer that they got."


@transaction.atomic
def open_claim_ticket(claim: Claim) -> Ticket:
    """The ticket of a claim: the customer's words, its incident linked, a note of what is known.

    Called again, it is the same ticket.
    """
    customer = claim.customer
    with override(customer.language):
        subject = _("Something did not work: %(number)s") % {"number": claim.number}
        text = claim.text or _("Something did not work.")
    ticket = open_ticket(
        subject=subject,
        text=text,
        channel=Channel.WEB,
        customer=customer,
        tags=["claim"],
        external_id=f"claim:{claim.pk}",
    )
    if claim.ticket_number == ticket.number:
        return ticket
    note_ticket(claim, ticket.number)
    if claim.incident is not None:
        link(ticket, claim.incident, by=None, reason=f"claim {claim.number}")
    add_note(ticket, by=None, text=facts_of(claim))
    acknowledge(ticket)
    ticket.refresh_from_db()
    return ticket


def facts_of(claim: Claim) -> str:
    """What a person needs to decide, in English, times in UTC."""
    lines = [
        f"Claim {claim.number}: from {claim.starts_at:%Y-%m-%d %H:%M} "
        + ("and going on" if claim.goes_on else f"to {claim.ends_at:%Y-%m-%d %H:%M}")
        + f" UTC ({duration(claim.ends_at - claim.starts_at)}).",
        (
            f"Component: {claim.component or 'not named'}. "
            f"Subscription: {claim.subscription or 'none'}."
        ),
        REASONS.get(str(claim.decision.get("why", "")), "") or DISAGREES,
    ]
    if claim.decision.get("uses_component") is False:
        lines.append("By our data their subscription does not use this component.")
    if claim.incident is not None:
        lines.append(f"Incident: {claim.incident}.")
    if also := claim.decision.get("incidents"):
        lines.append(f"All of them: {', '.join(also)}.")
    lines += [f"Known outage: {start} to {end}." for start, end in claim.decision.get("spans", [])]
    if claim.version is not None:
        lines.append(f"Policy: {claim.version}.")
    return "\n".join(lines)
