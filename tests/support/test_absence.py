"""Absence: who stands in, what is handed over, and that it happens once."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from backoffice.accounts.roles import Role
from support.assignment import begin_absences, end_absence, end_absences, set_absence
from support.models import Queue, TicketEvent
from support.processing import process_events
from support.tickets import assign, receive_message, set_status
from tests.accounts.factories import staff
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann():
    return agent()


@pytest.fixture
def bob():
    return agent()


def away(user, *, stand_in=None, begins=-1, ends=48, by=None):
    now = timezone.now()
    return set_absence(
        user.agent,
        away_from=now + timedelta(hours=begins),
        away_until=now + timedelta(hours=ends) if ends is not None else None,
        stand_in=stand_in,
        by=by or user,
    )


def ticket_of(user, status="open", **fields):
    ticket = assign(opened(**fields), user, by=None)
    return set_status(ticket, status, by=None)


def test_open_tickets_go_to_the_stand_in_once(ann, bob):
    ticket, waits = ticket_of(ann), ticket_of(ann, "waiting")
    away(ann, stand_in=bob)
    assert begin_absences() == 1
    ticket.refresh_from_db()
    waits.refresh_from_db()
    assert (ticket.assignee, waits.assignee) == (bob, ann)
    line = ticket.events.filter(kind="assigned").latest("id")
    assert (line.by, line.reason) == (None, f"{ann.agent} is away")
    assign(ticket, ann, by=bob)  # “please answer when you are back”
    assert begin_absences() == 0
    ticket.refresh_from_db()
    assert ticket.assignee == ann


def test_tickets_go_back_where_the_stand_in_cannot_have_them(ann, bob):
    closed_shop = QueueFactory()
    closed_shop.members.set([ann])
    hidden, open_one = ticket_of(ann, queue=closed_shop), ticket_of(ann)
    away(ann, stand_in=bob)
    assert begin_absences() == 2
    hidden.refresh_from_db()
    open_one.refresh_from_db()
    assert (hidden.assignee, open_one.assignee) == (None, bob)


def test_tickets_go_back_where_nobody_or_somebody_absent_stands_in(ann, bob):
    ticket, other = ticket_of(ann), ticket_of(bob)
    away(ann, stand_in=bob)
    away(bob)
    begin_absences()
    ticket.refresh_from_db()
    other.refresh_from_db()
    assert (ticket.assignee, other.assignee) == (None, None)


def test_what_waits_is_handed_over_when_its_customer_writes(ann, bob):
    ticket = ticket_of(ann, "waiting")
    away(ann, stand_in=bob)
    begin_absences()
    receive_message(ticket, text="Still broken.")
    while process_events():
        pass
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.status) == (bob, "open")


def test_what_goes_back_is_given_to_somebody_else(ann, bob):
    Queue.objects.update(assignment=Queue.Assignment.ROUND_ROBIN)
    ticket = ticket_of(ann)
    away(ann)
    begin_absences()
    while process_events():
        pass
    ticket.refresh_from_db()
    assert ticket.assignee == bob


def test_an_absence_to_come_changes_nothing_yet(ann, bob):
    ticket = ticket_of(ann)
    away(ann, stand_in=bob, begins=1)
    assert begin_absences() == 0
    ticket.refresh_from_db()
    assert ticket.assignee == ann


def test_absence_ends_by_itself_and_by_hand(ann, bob):
    now = timezone.now()
    away(ann, ends=None)
    away(bob)
    begin_absences()
    assert end_absences() == 0
    type(bob.agent).objects.filter(pk=bob.agent.pk).update(away_until=now)
    assert end_absences() == 1
    bob.agent.refresh_from_db()
    assert (bob.agent.away_from, bob.agent.handed_over_at) == (None, None)
    assert end_absence(ann.agent, by=ann).away_from is None


def test_who_may_say_that_somebody_is_away(ann, bob):
    with pytest.raises(PermissionDenied):
        away(ann, by=bob)
    with pytest.raises(PermissionDenied):
        end_absence(ann.agent, by=bob)
    lead = staff(Role.SUPPORT_LEAD)
    assert away(ann, by=lead).is_away(timezone.now())
    assert not end_absence(ann.agent, by=lead).is_away(timezone.now())
    assert TicketEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"begins": 2, "ends": 1}, "away_until"),
        ({"begins": -2, "ends": -1}, "away_until"),
        ({"stand_in": "self"}, "stand_in"),
        ({"stand_in": "finance"}, "stand_in"),
    ],
)
def test_absence_that_makes_no_sense_is_refused(ann, options, field):
    if options.get("stand_in"):
        stand_in = ann if options["stand_in"] == "self" else staff(Role.FINANCE)
        options = options | {"stand_in": stand_in}
    with pytest.raises(ValidationError) as caught:
        away(ann, **options)
    assert list(caught.value.message_dict) == [field]
