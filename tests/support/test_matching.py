"""Linking tickets to incidents: by itself, by people, and measured by their words."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from incidents.cohorts import resolve
from incidents.lifecycle import add_outage
from incidents.models import Incident
from support import matching
from support.matching.second_look import SEEN
from support.models import IncidentMatch, Ticket, TicketEvent
from support.processing import process_events
from support.tickets import open_ticket, receive_message
from tests.accounts.factories import staff
from tests.customers.factories import ComponentFactory, ComponentUseFactory, CustomerFactory
from tests.incidents.factories import IncidentFactory, OutageFactory
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.fixture(autouse=True)
def _unseen():
    cache.delete(SEEN)


@pytest.fixture
def use():
    return ComponentUseFactory.create(component=ComponentFactory.create(key="fibre", name="Fibre"))


def outage(use, **fields):
    """A running incident that hit whoever uses the component."""
    incident = IncidentFactory.create(
        title="Fibre outage", started_at=timezone.now() - timedelta(hours=1), **fields
    )
    OutageFactory.create(
        incident=incident, component=use.component, starts_at=incident.started_at, ends_at=None
    )
    resolve(incident)
    return incident


def written(customer, text="No internet", **fields):
    return opened(customer=customer, subject="Help", text=text, **fields)


def kinds(ticket):
    return [event.kind for event in ticket.events.all() if "incident" in event.kind]


def test_certain_ticket_is_linked_with_its_reasons(use):
    incident = outage(use)
    ticket = written(use.subscription.customer)
    process_events()
    ticket.refresh_from_db()
    match = ticket.matches.get()
    assert (ticket.incident, match.state, match.first_state) == (incident, "linked", "linked")
    assert match.confidence == 860
    assert matching.reasons(match.evidence) == [
        ("The incident hit this customer.", [], 400),
        ("Says that something fails", ["no internet"], 160),
        ("Written while it lasted.", [], 150),
        ("Speaks of what is out of order", ["internet"], 150),
    ]
    assert (match.decided_by, match.decided_at) == (None, None)
    event = ticket.events.get(kind="incident_linked")
    assert event.data == {
        "from": None, "to": incident.pk, "incident": incident.pk, "confidence": 860,
    }  # fmt: skip


def test_linked_ticket_is_scored_with_its_incident_at_once(use):
    outage(use, severity=Incident.Severity.CRITICAL)
    ticket = written(use.subscription.customer)
    process_events()
    ticket.refresh_from_db()
    assert ticket.score_parts["incident"] > 0


def test_likely_ticket_is_proposed_only(use):
    outage(use)
    ticket = open_ticket(
        subject="Help", text="No internet", channel="web",
        requester_address="who@example.com",
    )  # fmt: skip
    process_events()
    ticket.refresh_from_db()
    match = ticket.matches.get()
    assert (ticket.incident, match.state, match.confidence) == (None, "proposed", 460)


def test_customer_it_does_not_hit_is_not_matched(use):
    outage(use)
    ticket = written(CustomerFactory.create())
    process_events()
    assert not ticket.matches.exists()


def test_other_matter_of_a_customer_it_hits_is_not_matched(use):
    outage(use)
    ticket = written(use.subscription.customer, "My invoice for the internet is too high")
    process_events()
    assert not ticket.matches.exists()


def test_ticket_long_after_the_end_is_not_matched(use):
    incident = outage(use)
    ended = timezone.now()
    Incident.objects.filter(pk=incident.pk).update(state="resolved", resolved_at=ended)
    with time_machine.travel(ended + timedelta(days=3, minutes=1)):
        ticket = written(use.subscription.customer)
        process_events()
    assert not ticket.matches.exists()


def test_two_incidents_that_fit_alike_are_both_proposed(use):
    first, second = outage(use), outage(use)
    ticket = written(use.subscription.customer)
    process_events()
    ticket.refresh_from_db()
    assert ticket.incident is None
    assert set(ticket.matches.values_list("incident", "state")) == {
        (first.pk, "proposed"),
        (second.pk, "proposed"),
    }


def test_further_message_can_make_it_certain_or_take_the_proposal_back(use):
    outage(use)
    customer = use.subscription.customer
    vague, other = (written(customer, "Internet", external_id=key) for key in "ab")
    process_events()
    assert {match.state for match in IncidentMatch.objects.all()} == {"proposed"}
    receive_message(vague, text="It does not work at all")
    receive_message(other, text="I would like a new tariff and my invoice by post")
    process_events()
    vague.refresh_from_db()
    assert vague.matches.get().state == "linked"
    assert not other.matches.exists()


def test_incident_declared_later_is_looked_at_again(use):
    ticket = written(use.subscription.customer)
    process_events()
    assert matching.look_again() == 0
    incident = IncidentFactory.create(title="Fibre outage", started_at=timezone.now())
    assert matching.look_again() == 0  # nobody knows yet what is out of order
    add_outage(
        incident=incident, component=use.component, impact="major",
        starts_at=incident.started_at, by=None,
    )  # fmt: skip
    resolve(incident)
    assert matching.look_again() == 1
    ticket.refresh_from_db()
    assert ticket.incident == incident
    assert matching.look_again() == 0


def test_unlinked_ticket_stays_unlinked(use):
    outage(use)
    ticket, ann = written(use.subscription.customer), agent()
    process_events()
    ticket.refresh_from_db()
    matching.unlink(ticket, by=ann, reason="another matter")
    match = ticket.matches.get()
    assert (ticket.incident, match.state, match.first_state) == (None, "rejected", "linked")
    assert match.decided_by == ann
    receive_message(ticket, text="No internet, outage")
    process_events()
    matching.look_again()
    ticket.refresh_from_db()
    assert ticket.incident is None
    assert kinds(ticket) == ["incident_linked", "incident_unlinked"]
    with pytest.raises(MoveError):
        matching.unlink(ticket, by=ann)


def test_link_moves_from_one_incident_to_another(use):
    first, second = outage(use), IncidentFactory.create()
    ticket, ann = written(use.subscription.customer), agent()
    process_events()
    matching.link(ticket, second, by=ann, reason="she says so")
    assert ticket.incident == second
    assert dict(ticket.matches.values_list("incident", "state")) == {
        first.pk: "rejected",
        second.pk: "linked",
    }


def test_confirmed_link_keeps_its_incident_and_gets_a_label(use):
    outage(use)
    ticket, ann = written(use.subscription.customer), agent()
    process_events()
    matching.confirm(ticket.matches.get(), by=ann)
    match = ticket.matches.get()
    assert (match.state, match.decided_by) == ("linked", ann)
    assert kinds(ticket) == ["incident_linked"]


def test_rejected_proposal_is_not_confirmed_afterwards(use):
    outage(use)
    ticket, ann = written(use.subscription.customer, "Internet"), agent()
    process_events()
    match = matching.reject(ticket.matches.get(), by=ann)
    assert (match.state, match.first_state) == ("rejected", "proposed")
    with pytest.raises(MoveError):
        matching.confirm(match, by=ann)


def test_who_neither_answers_nor_sends_mass_replies_links_nothing():
    ticket, incident = opened(), IncidentFactory.create()
    for by in (staff(Role.FINANCE), staff(Role.AUDITOR)):
        with pytest.raises(PermissionDenied):
            matching.link(ticket, incident, by=by)
        with pytest.raises(PermissionDenied):
            matching.link_many([ticket.pk], incident, by=by)
    matching.link(ticket, incident, by=staff(Role.INCIDENT_MANAGER))
    assert ticket.incident == incident


def test_link_many_leaves_other_queues_alone():
    closed_off = QueueFactory.create()
    closed_off.members.add(agent())
    ours, theirs = opened(), opened(queue=closed_off)
    incident = IncidentFactory.create()
    assert matching.link_many([ours.pk, theirs.pk], incident, by=agent()) == 1
    assert list(Ticket.objects.filter(incident=incident)) == [ours]


def test_confirm_above_links_the_likelier_proposals(use):
    incident, ann = outage(use), agent()
    customer = use.subscription.customer
    likely, less = written(customer, "Internet"), written(customer, "Internet")
    process_events()
    IncidentMatch.objects.filter(ticket=less).update(confidence=600)
    assert matching.confirm_above(incident, 650, by=ann) == 1
    assert list(Ticket.objects.filter(incident=incident)) == [likely]
    assert matching.confirm_above(incident, 650, by=ann) == 0


def test_measure_counts_the_words_of_people(use):
    incident, ann = outage(use), agent()
    customer = use.subscription.customer
    right, wrong, silent = (written(customer) for _ in range(3))
    proposed = written(customer, "Internet")
    missed = written(CustomerFactory.create())
    process_events()
    matching.confirm(right.matches.get(), by=ann)
    matching.unlink(Ticket.objects.get(pk=wrong.pk), by=ann)
    matching.confirm(proposed.matches.get(), by=ann)
    matching.link(missed, incident, by=ann)
    measure = matching.measure(NOW - timedelta(days=1))
    assert (measure.linked, measure.right, measure.wrong) == (3, 1, 1)
    assert (measure.proposed, measure.proposed_right, measure.missed) == (1, 1, 1)
    assert (measure.precision, measure.recall) == (0.5, 1 / 3)
    assert [(b.at_least, b.matches, b.right, b.wrong) for b in measure.bands if b.matches] == [
        (700, 1, 1, 0),
        (850, 3, 1, 1),
    ]
    assert silent.matches.get().decided_at is None


def test_measure_without_labels_claims_nothing():
    measure = matching.measure(NOW)
    assert (measure.precision, measure.recall) == (None, None)


@pytest.mark.parametrize("tickets", [1, 3])
def test_matching_takes_the_same_queries_for_one_and_three(use, tickets, django_assert_num_queries):
    outage(use)
    made = [written(use.subscription.customer).pk for _ in range(tickets)]
    events = list(TicketEvent.objects.filter(ticket__in=made))
    with django_assert_num_queries(13):
        matching.match_events(events)
    assert IncidentMatch.objects.filter(state="linked").count() == tickets
