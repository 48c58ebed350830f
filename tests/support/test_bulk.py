"""One thing done to many tickets."""

import pytest
from django.test import Client

from backoffice.accounts.roles import Role
from support import bulk
from support.models import Ticket, TicketEvent
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, TicketFactory, agent

pytestmark = pytest.mark.django_db
URL = "/admin/support/ticket/bulk/"


def post(user, tickets, **data):
    client = Client()
    client.force_login(user)
    return client.post(URL, {"ticket": [t.pk for t in tickets], **data}, follow=True)


def told(response):
    return [str(message) for message in response.context["messages"]]


def test_assign_leaves_out_what_cannot_be_done(monkeypatch):
    monkeypatch.setattr(bulk, "SLICE", 2)
    hidden, me = QueueFactory(), agent()
    hidden.members.add(agent())
    mine = [TicketFactory() for _n in range(3)]
    theirs = TicketFactory(queue=hidden)
    response = post(me, [*mine, theirs], do="assign", assignee="me")
    assert told(response) == [f"3 done, 1 left out: T-{theirs.pk}: there is none"]
    assert set(Ticket.objects.filter(assignee=me)) == set(mine)
    # Through the verb: each has its line in the timeline.
    assert TicketEvent.objects.filter(kind="assigned", by=me).count() == 3


def test_assign_to_a_colleague_and_back_to_the_queue():
    lead, ben = staff(Role.SUPPORT_LEAD), agent()
    ticket = TicketFactory()
    assert told(post(lead, [ticket], do="assign", assignee=ben.pk)) == ["1 done."]
    assert Ticket.objects.get().assignee == ben
    post(lead, [ticket], do="assign", assignee="none")
    assert Ticket.objects.get().assignee is None
    assert told(post(lead, [ticket], do="assign", assignee="nobody")) == ["Say to whom."]
    finance = staff(Role.FINANCE)
    response = post(lead, [ticket], do="assign", assignee=finance.pk)
    assert told(response) == [
        f"0 done, 1 left out: T-{ticket.pk}: {finance} does not work in this ticket's queue."
    ]


def test_status_tells_which_were_closed():
    open_, closed = TicketFactory(status="open"), TicketFactory(status="closed")
    response = post(agent(), [open_, closed], do="status", status="solved", query="tag=vip")
    assert told(response)[0].startswith(f"1 done, 1 left out: T-{closed.pk}: ")
    assert response.redirect_chain == [("/admin/support/ticket/?tag=vip", 302)]
    open_.refresh_from_db()
    assert open_.status == "solved"


def test_closing_asks_first_with_the_figures():
    tickets = [TicketFactory(status=status) for status in ("open", "solved", "closed")]
    me = agent()
    asked = post(me, tickets, do="status", status="closed").content.decode()
    assert "Close 2 tickets for good?" in asked
    assert "1 of them is not solved." in asked
    assert Ticket.objects.filter(status="closed").count() == 1
    assert told(post(me, tickets, do="status", status="closed", sure="1")) == ["3 done."]
    assert Ticket.objects.filter(status="closed").count() == 3


def test_queue_tags_and_priority():
    me, queue = agent(), QueueFactory(slug="billing")
    tickets = [TicketFactory(tags=["old"]), TicketFactory()]
    post(me, tickets, do="queue", to_queue="billing")
    post(me, tickets, do="tags", add_tags="VIP, router", remove_tags="old")
    post(me, tickets, do="priority", band="4")
    for ticket in tickets:
        ticket.refresh_from_db()
        assert (ticket.queue, ticket.tags, ticket.band_floor) == (queue, ["router", "vip"], 4)
    post(me, tickets, do="priority", band="none")
    assert set(Ticket.objects.values_list("band_floor", flat=True)) == {None}


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        ({"do": ""}, "Say what to do with them."),
        ({"do": "explode"}, "Say what to do with them."),
        ({"do": "queue", "to_queue": "nowhere"}, "Say into which queue."),
        ({"do": "tags", "add_tags": " , "}, "Write a tag to put on or take off."),
        ({"do": "tags", "add_tags": "x" * 51}, "is too long"),
        ({"do": "incident", "to_incident": "INC-0"}, "Say to which incident."),
        ({"do": "priority", "band": "9"}, "Say which priority."),
        ({"do": "assign", "assignee": "9" * 30}, "Say to whom."),
        ({"do": "status", "status": "gone"}, "“gone” is no status."),
        ({"do": "assign", "ticket": []}, "No ticket is selected"),
        ({"do": "assign", "ticket": ["x", "9" * 30]}, ""),
    ],
)
def test_what_makes_no_sense_is_told(data, answer):
    ticket = TicketFactory()
    client = Client()
    client.force_login(agent())
    response = client.post(URL, {"ticket": [ticket.pk]} | data, follow=True)
    assert response.status_code == 200
    assert answer in told(response)[0]


def test_everything_is_what_the_filter_finds(monkeypatch):
    monkeypatch.setattr("support.admin.ticket_list.bulk_doors.MOST", 2)
    vips = [TicketFactory(tags=["vip"], band=band) for band in (2, 4, 3)]
    TicketFactory()
    response = post(agent(), [], do="tags", add_tags="seen", everything="1", query="tag=vip")
    assert told(response) == ["2 done."]
    assert set(Ticket.objects.filter(tags__contains=["seen"])) == {vips[1], vips[2]}


def test_merge_goes_into_the_oldest_of_each_customer():
    acme, other = CustomerFactory(name="Acme"), CustomerFactory()
    first, second, third = (TicketFactory(customer=acme) for _n in range(3))
    alone = TicketFactory(customer=other)
    closed = TicketFactory(customer=acme, status="closed")
    unknown = [TicketFactory(customer=None, requester_address="x@example.com") for _n in range(2)]
    everything, me = [third, second, first, alone, closed, *unknown], agent()
    asked = post(me, everything, do="merge").content.decode()
    assert "Merge 3 tickets into the oldest of each of 2 customers?" in asked
    assert f"T-{second.pk}, T-{third.pk} → T-{first.pk}" in asked
    assert f"T-{alone.pk}, it is the only one of its customer here" in asked
    assert not Ticket.objects.exclude(merged_into=None).exists()
    response = post(me, everything, do="merge", sure="1")
    assert told(response)[0].startswith("3 done, 2 left out: ")
    into = dict(Ticket.objects.exclude(merged_into=None).values_list("pk", "merged_into"))
    assert into == {second.pk: first.pk, third.pk: first.pk, unknown[1].pk: unknown[0].pk}


def test_the_forms_offer_who_works_here():
    me, finance = agent(), staff(Role.FINANCE, full_name="Fin Ance")
    client = Client()
    client.force_login(me)
    page = client.get(URL).content.decode()
    assert str(finance) not in page
    assert 'name="do" value="assign"' in page


def test_link_to_an_incident():
    incident, tickets = IncidentFactory(), [TicketFactory() for _n in range(2)]
    response = post(agent(), tickets, do="incident", to_incident=incident.number)
    assert told(response) == ["2 done."]
    assert set(Ticket.objects.values_list("incident", flat=True)) == {incident.pk}
