"""What an incident or a ticket gives, as far as it may be said to the customer.

Only what is approved binds us, so nothing else is ever put into an answer. These refusals are for
the agent, in their language.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from backoffice.customers.models import Customer
from backoffice.money import format_money
from compensation.goodwill import already_given
from compensation.models import Award, Batch
from compensation.models.award import BINDING
from support.goodwill.words import value_in_words
from support.models import Ticket


class RefusalError(Exception):
    """A variable has nothing that may be said; the message says why and what to do."""


class UnknownError(RefusalError):
    """Nothing is known, so a default may stand there instead. Of money there is no default."""


def of_incident(ticket: Ticket, benefit: str) -> list[Award]:
    """What the ticket's incident gives its customer under the policy, all of it approved.

    Raises:
        RefusalError: there is no incident, it gives nothing, or something is not approved yet.
    """
    customer, incident = _customer(ticket), ticket.incident
    if incident is None:
        raise RefusalError(_("the ticket is linked to no incident: link it first."))
    given = [
        award
        for award in already_given(customer, incident)
        if award.source == Award.Source.BATCH and award.benefit == benefit
    ]
    if not given:
        raise RefusalError(
            _("{incident} gives {customer} nothing of the kind, or not yet.").format(
                incident=incident.number, customer=customer
            )
        )
    return _approved(_one_a_subscription(given))


def of_ticket(ticket: Ticket, benefit: str) -> list[Award]:
    """The goodwill given from the ticket, all of it approved.

    Raises:
        RefusalError: none was given, or some of it is not approved yet.
    """
    gone = (Batch.State.REJECTED, Batch.State.CANCELLED)
    given = list(
        Award.objects.filter(goodwill__ticket=ticket, benefit=benefit)
        .exclude(state__in=[Award.State.EXCLUDED, Award.State.REVERSED])
        .exclude(batch__state__in=gone)
        .select_related("batch")
        .order_by("id")
    )
    if not given:
        raise RefusalError(_("no such goodwill was given in this ticket: give it first."))
    return _approved(given)


def total(awards: Iterable[Award], language: str) -> str:
    """Credits added up by currency, as a reader of `language` writes it."""
    sums: dict[str, int] = defaultdict(int)
    for award in awards:
        sums[award.currency] += award.amount_minor
    return " + ".join(
        format_money(amount_minor, currency, language)
        for currency, amount_minor in sorted(sums.items())
    )


def _customer(ticket: Ticket) -> Customer:
    if ticket.customer is None:
        raise RefusalError(_("it is not known which customer asks: say it first."))
    return ticket.customer


def _one_a_subscription(awards: list[Award]) -> list[Award]:
    """Of several batches for the same incident the approved award of a subscription counts."""
    found: dict[int | None, Award] = {}
    for award in awards:
        known = found.get(award.subscription_id)
        if known is None or known.state not in BINDING:
            found[award.subscription_id] = award
    return list(found.values())


def _approved(awards: list[Award]) -> list[Award]:
    for award in awards:
        if award.state not in BINDING:
            raise RefusalError(_why_not(award))
    return awards


def _why_not(award: Award) -> str:
    said = {
        "what": _what(award),
        "batch": award.batch.number if award.batch else "",
    }
    if award.state == Award.State.FAILED:
        reason = award.error_message or award.error_code
        return _("{what} could not be booked: {reason}").format(reason=reason, **said)
    if award.batch is not None and award.batch.state == Batch.State.SUBMITTED:
        return _("{what} is not approved yet: it waits for finance in batch {batch}.").format(
            **said
        )
    return _("{what} is not approved yet: batch {batch} is not even submitted.").format(**said)


def _what(award: Award) -> str:
    if award.benefit == Award.Benefit.CREDIT:
        amount = format_money(award.amount_minor, award.currency)
        return _("Credit of {amount}").format(amount=amount)
    days = value_in_words(award.benefit, award.days, "")
    if award.benefit == Award.Benefit.TRIAL:
        return _("Trial extension of {days}").format(days=days)
    return _("Priority support of {days}").format(days=days)
