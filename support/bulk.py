"""One thing done to many tickets: by the verbs, ticket by ticket; what cannot be done is left out.

Tickets go in slices, a transaction each, in the order of their numbers, so that two of these at
once never wait for each other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.states import MoveError
from support.models import Ticket
from support.models.ticket import Status
from support.tickets import merge_ticket

SLICE = 50
# At once, while somebody waits for the answer.
MOST = 500
Verb = Callable[[Ticket], Any]


@dataclass
class Outcome:
    """How many were done, and which were left out, with the reason."""

    done: int = 0
    left_out: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class MergePlan:
    """What merging would do: the oldest of each customer with those that go into it."""

    groups: list[tuple[Ticket, list[Ticket]]]
    left_out: list[tuple[str, str]]

    @property
    def merged(self) -> int:
        return sum(len(sources) for _target, sources in self.groups)


def do_to_all(ticket_ids: Iterable[int], verb: Verb, *, by: User) -> Outcome:
    """Do `verb` to each ticket that `by` sees; nothing is raised, it is told in the outcome."""
    outcome = Outcome()
    ids = sorted(set(ticket_ids))[:MOST]
    for start in range(0, len(ids), SLICE):
        wanted = ids[start : start + SLICE]
        with transaction.atomic():
            known = Ticket.objects.seen_by(by).in_bulk(wanted)
            for pk in wanted:
                reason = _try(verb, known[pk]) if pk in known else _("there is none")
                _note(outcome, f"T-{pk}", reason)
    return outcome


def plan_merge(tickets: Iterable[Ticket]) -> MergePlan:
    """Into the oldest of the same customer (or the same address, where no customer is known)."""
    by_person: dict[Any, list[Ticket]] = defaultdict(list)
    left_out = []
    for ticket in sorted(tickets, key=lambda each: each.pk):
        if ticket.status == Status.CLOSED:
            left_out.append((ticket.number, _("it is closed")))
        else:
            by_person[ticket.customer_id or ticket.requester_address].append(ticket)
    groups = []
    for first, *others in by_person.values():
        if others:
            groups.append((first, others))
        else:
            left_out.append((first.number, _("it is the only one of its customer here")))
    return MergePlan(groups, left_out)


def merge_all(plan: MergePlan, *, by: User, reason: str = "") -> Outcome:
    """Merge as planned."""
    outcome = Outcome(left_out=list(plan.left_out))
    for target, sources in plan.groups:
        with transaction.atomic():
            for source in sources:

                def merge(ticket: Ticket, into: Ticket = target) -> None:
                    merge_ticket(ticket, into=into, by=by, reason=reason)

                _note(outcome, source.number, _try(merge, source))
    return outcome


def _note(outcome: Outcome, number: str, refused: str) -> None:
    if refused:
        outcome.left_out.append((number, refused))
    else:
        outcome.done += 1


def _try(verb: Verb, ticket: Ticket) -> str:
    """Why it could not be done; empty if it was."""
    try:
        with transaction.atomic():
            verb(ticket)
    except ValidationError as error:
        return " ".join(error.messages)
    except (MoveError, PermissionDenied) as error:
        return str(error) or _("you may not do this")
    return ""
