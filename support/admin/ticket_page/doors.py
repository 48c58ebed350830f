"""What changes a ticket: each door parses, calls one verb, says what it did, and goes back."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.states import MoveError
from support import tickets
from support.admin.ticket_page.access import message_for, ticket_for
from support.answering import send_again, undo_answer
from support.models import Queue, Ticket
from support.models.ticket import Band, Status
from support.sla import refresh_clocks

Given = Any  # the form's fields, a QueryDict


@require_POST
def do(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """One of VERBS. A merged ticket leads on to where it went."""
    ticket, user = ticket_for(request, pk, "support.answer_ticket")
    if verb not in VERBS:
        raise Http404(verb)
    if attempt(request, lambda: VERBS[verb](ticket, user, request.POST)):
        refresh_clocks([ticket.pk])  # whoever changed it looks at it before the worker does
    return to_page(ticket.merged_into_id or ticket.pk)


@require_POST
def undo(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    message, user = message_for(request, pk, message_pk, "support.answer_ticket")

    def take_back() -> str:
        undo_answer(message, by=user)
        return _("Taken back: nothing was sent, and your words are in the composer again.")

    attempt(request, take_back)
    return to_page(pk)


@require_POST
def again(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    message, user = message_for(request, pk, message_pk, "support.answer_ticket")

    def resend() -> str:
        send_again(message, by=user)
        return _("It is sent again.")

    attempt(request, resend)
    return to_page(pk)


@require_POST
def split(request: HttpRequest, pk: int, message_pk: int) -> HttpResponse:
    """The message becomes a ticket of its own, whose page follows."""
    message, user = message_for(request, pk, message_pk, "support.merge_ticket")
    made: list[Ticket] = []

    def part() -> str:
        made.append(tickets.split_ticket(message, by=user, subject=request.POST.get("subject", "")))
        return _("It is a ticket of its own now, {number}.").format(number=made[0].number)

    attempt(request, part)
    return to_page(made[0].pk if made else pk)


def attempt(request: HttpRequest, verb: Callable[[], str]) -> bool:
    """Do it and say what it did, or why not; whether it was done."""
    try:
        said = verb()
    except (MoveError, PermissionDenied) as error:
        messages.error(request, str(error))
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)
    else:
        if said:
            messages.success(request, said)
        return True
    return False


def to_page(pk: int) -> HttpResponse:
    return redirect("admin:support_ticket_change", pk)


def _assign(ticket: Ticket, user: User, given: Given) -> str:
    to = given.get("to", "")
    person = user if to == "me" else _row(User, to, "assignee") if to else None
    tickets.assign(ticket, person, by=user, reason=given.get("reason", "").strip())
    if person is None:
        return _("Given back to the queue {queue}.").format(queue=ticket.queue)
    return _("It is yours.") if person == user else _("{who} has it now.").format(who=person)


def _set_queue(ticket: Ticket, user: User, given: Given) -> str:
    queue = _row(Queue, given.get("queue", ""), "queue")
    tickets.set_queue(ticket, queue, by=user, reason=given.get("reason", "").strip())
    return _("Moved to the queue {queue}.").format(queue=queue)


def _set_status(ticket: Ticket, user: User, given: Given) -> str:
    tickets.set_status(
        ticket, given.get("status", ""), by=user, reason=given.get("reason", "").strip()
    )
    return _("Status: {status}.").format(status=Status(ticket.status).label)


def _change_tags(ticket: Ticket, user: User, given: Given) -> str:
    wanted = tickets.clean_tags(given.get("tags", "").replace("\0", "").split(","))
    tickets.change_tags(ticket, by=user, add=wanted, remove=set(ticket.tags) - wanted)
    return _("Tags: {tags}.").format(tags=", ".join(ticket.tags) or _("none"))


def _change(ticket: Ticket, user: User, given: Given) -> str:
    tickets.change_ticket(
        ticket,
        by=user,
        subject=given["subject"].replace("\0", "") if "subject" in given else None,
        language=given.get("language") or None,
    )
    return _("Corrected.")


def _set_floor(ticket: Ticket, user: User, given: Given) -> str:
    wanted, reason = given.get("band", ""), given.get("reason", "").strip()
    if not wanted:
        tickets.change_ticket(ticket, by=user, reason=reason, no_band_floor=True)
        return _("The score alone decides the priority.")
    if wanted not in map(str, Band.values):
        raise ValidationError({"band": _("“%(band)s” is no priority.") % {"band": wanted}})
    tickets.change_ticket(ticket, by=user, reason=reason, band_floor=int(wanted))
    return _("Priority: at least {band}.").format(band=Band(int(wanted)).label)


def _merge(ticket: Ticket, user: User, given: Given) -> str:
    # Picked from the list, or typed below it.
    named = [number for number in given.getlist("into") if number.strip()]
    into = ticket_named(named[-1] if named else "", user, "into")
    tickets.merge_ticket(ticket, into=into, by=user, reason=given.get("reason", "").strip())
    return _("{old} was merged into this ticket.").format(old=ticket.number)


def _set_parent(ticket: Ticket, user: User, given: Given) -> str:
    number = given.get("parent", "").strip()
    parent = ticket_named(number, user, "parent") if number else None
    tickets.set_parent(ticket, parent, by=user)
    if parent is None:
        return _("It stands alone.")
    return _("It belongs under {parent}.").format(parent=parent.number)


def _set_customer(ticket: Ticket, user: User, given: Given) -> str:
    customer = _row(Customer, given.get("customer", ""), "customer")
    tickets.set_customer(ticket, customer, by=user)
    return _("The customer is {name}.").format(name=customer)


def ticket_named(number: str, user: User, field: str) -> Ticket:
    """The ticket that somebody typed as T-10482, t10482 or 10482, if they may see it.

    Raises:
        ValidationError.
    """
    digits = number.strip().upper().removeprefix("T").removeprefix("-")
    found = None
    if digits.isdecimal() and len(digits) <= 18:  # noqa: PLR2004 - longer numbers fit no id
        found = Ticket.objects.seen_by(user).filter(pk=int(digits)).first()
    if found is None:
        raise ValidationError(
            {field: _("There is no ticket “%(number)s” that you can see.") % {"number": number}}
        )
    return found


def _row(model: Any, pk: str, field: str) -> Any:
    found = model.objects.filter(pk=pk).first() if pk.isdecimal() and len(pk) <= 18 else None  # noqa: PLR2004
    if found is None:
        raise ValidationError({field: _("That does not exist any more: reload and look again.")})
    return found


VERBS: dict[str, Callable[[Ticket, User, Given], str]] = {
    "assign": _assign,
    "queue": _set_queue,
    "status": _set_status,
    "tags": _change_tags,
    "correct": _change,
    "floor": _set_floor,
    "merge": _merge,
    "parent": _set_parent,
    "customer": _set_customer,
}
