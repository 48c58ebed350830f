"""Giving from a ticket: at once, or by asking finance."""

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Subscription
from backoffice.states import MoveError
from compensation.batches import wait_for_other_decisions
from compensation.gestures import Gesture
from compensation.goodwill import PERMISSION, give_goodwill, preview_goodwill, propose_goodwill
from compensation.models import Award
from support.authority import worker_on
from support.goodwill.limits import NOTHING, limits_left
from support.goodwill.words import benefit_in_words, value_in_words
from support.models import Goodwill, Ticket, TicketEvent
from support.tickets import locked
from support.timeline import record_event

# Stands for words that are still to be written while a form is filled in.
_UNSAID = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an agent wants to give in a ticket; fields and units as in `Gesture`."""

    benefit: str
    reason: str
    key: str
    amount_minor: int = 0
    currency: str = ""
    days: int = 0
    subscription: Subscription | None = None
    despite: str = ""

    @property
    def value(self) -> int:
        """Minor units, or days: what limits count."""
        return self.amount_minor if self.benefit == Award.Benefit.CREDIT else self.days


@dataclass(frozen=True, slots=True)
class Preview:
    """What giving a wish would do: a sentence, or why it cannot be."""

    sentence: str = ""
    problems: tuple[str, ...] = ()
    goes_to_finance: bool = False


def give(ticket: Ticket, *, by: User, wish: Wish) -> Goodwill:
    """Give it, or ask finance where it is beyond a limit of `by`; one key gives once.

    Limits, caps and the award are one decision: nobody else's comes between them.

    Raises:
        PermissionDenied: `by` may not give goodwill, or the queue is not theirs.
        ValidationError: it cannot be given; see `compensation.goodwill.give_goodwill`.
        MoveError: the key was used for something else.
    """
    person = worker_on(ticket, by, PERMISSION)
    if person is None:
        raise PermissionDenied(_("Only a person gives goodwill."))
    with transaction.atomic():
        # before the ticket, as everybody who decides about money does first
        wait_for_other_decisions()
        row = locked(ticket)
        if (earlier := Goodwill.objects.filter(key=wish.key).first()) is not None:
            if earlier.ticket_id != row.pk or earlier.by_id != person.pk:
                raise MoveError("Something else was given here meanwhile: reload and look again.")
            return earlier
        gesture = _gesture(row, wish)
        limits = limits_left(row, person).get((wish.benefit, wish.currency), NOTHING)
        given = Goodwill(
            ticket=row, by=person, reason=wish.reason, despite=wish.despite, key=wish.key
        )
        if limits.exceeded(wish.value):
            given.batch = propose_goodwill(gesture, by=person)
            given.award = given.batch.awards.get()
        else:
            given.award = give_goodwill(gesture, by=person)
        given.save(force_insert=True)
        record_event(
            row.pk,
            TicketEvent.Kind.GOODWILL,
            by=person,
            goodwill=given.pk,
            benefit=wish.benefit,
            amount_minor=wish.amount_minor,
            currency=wish.currency,
            days=wish.days,
            batch=given.batch.number if given.batch else "",
        )
    return given


def preview(ticket: Ticket, *, by: User, wish: Wish) -> Preview:
    """What `give` would do now. Words that are not written yet are no problem here."""
    unsaid = replace(wish, reason=wish.reason or _UNSAID, despite=wish.despite or _UNSAID)
    try:
        award = preview_goodwill(_gesture(ticket, unsaid), by=by)
    except ValidationError as error:
        return Preview(problems=tuple(error.messages))
    limits = limits_left(ticket, by).get((wish.benefit, wish.currency), NOTHING)
    what = _("{benefit} for {customer}").format(
        benefit=benefit_in_words(award), customer=award.customer
    )
    exceeded = limits.exceeded(wish.value)
    if exceeded is None:
        return Preview(_("{what}, issued at once.").format(what=what))
    name, limit = exceeded
    said = {
        "what": what,
        "limit": value_in_words(wish.benefit, limit.limit, wish.currency),
        "used": value_in_words(wish.benefit, limit.used, wish.currency),
        "per": name,
    }
    if not limit.limit:
        sentence = _("{what}, goes to finance: you have no limit of your own for it.")
    elif limit.used:
        sentence = _(
            "{what}, goes to finance: above your limit of {limit} {per}, of which {used} are used."
        )
    else:
        sentence = _("{what}, goes to finance: above your limit of {limit} {per}.")
    return Preview(sentence.format(**said), goes_to_finance=True)


def _gesture(ticket: Ticket, wish: Wish) -> Gesture:
    if ticket.customer is None:
        raise ValidationError({"customer": _("Say first which customer asks.")})
    return Gesture(
        customer=ticket.customer,
        benefit=wish.benefit,
        amount_minor=wish.amount_minor,
        currency=wish.currency,
        days=wish.days,
        subscription=wish.subscription,
        incident=ticket.incident,
        origin=ticket.number,
        reason=wish.reason,
        despite=wish.despite,
        key=wish.key,
    )
