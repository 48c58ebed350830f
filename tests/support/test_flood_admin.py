"""The flood's screens: what a person sees and presses."""

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.roles import Role
from support import mass_reply, matching
from support.matching.surge import KEY, surge
from support.models import IncidentMatch, MassReply
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident():
    return IncidentFactory.create(
        number="INC-2026-014", title="Fibre outage", started_at=timezone.now()
    )


def signed_in(client, user):
    client.force_login(user)
    return user


def proposed(incident, confidence=640, **fields):
    ticket = opened(customer=CustomerFactory.create(), **fields)
    return IncidentMatch.objects.create(
        ticket=ticket, incident=incident, state="proposed", first_state="proposed",
        confidence=confidence,
        evidence={"parts": [{"why": "exposed", "points": 400, "words": []}]},
    )  # fmt: skip


def door(name, *args):
    return reverse(f"admin:support_{name}", args=args)


def test_card_tells_how_sure_and_why_and_links_in_one_click(client, incident):
    signed_in(client, agent())
    match = proposed(incident)
    page = client.get(door("ticket_incident", match.ticket_id)).content.decode()
    assert "maybe, 64 %" in page
    assert "The incident hit this customer." in page
    page = client.post(door("incidentmatch_confirm", match.pk)).content.decode()
    match.ticket.refresh_from_db()
    assert match.ticket.incident == incident
    assert "Unlink" in page
    page = client.post(door("ticket_unlink", match.ticket_id)).content.decode()
    match.ticket.refresh_from_db()
    assert match.ticket.incident is None
    assert "Not about INC-2026-014" in page
    client.post(door("ticket_link", match.ticket_id), {"incident": "INC-2026-014"})
    match.ticket.refresh_from_db()
    assert match.ticket.incident == incident


def test_card_says_why_a_button_did_nothing(client, incident):
    signed_in(client, agent())
    ticket = opened()
    assert "linked to no incident" in client.post(door("ticket_unlink", ticket.pk)).content.decode()
    answer = client.post(door("ticket_link", ticket.pk), {"incident": "INC-1900-001"})
    assert "Choose the incident." in answer.content.decode()


def test_card_of_another_queue_is_not_there(client, incident):
    closed_off = QueueFactory.create()
    closed_off.members.add(agent())
    match = proposed(incident, queue=closed_off)
    signed_in(client, agent())
    assert client.get(door("ticket_incident", match.ticket_id)).status_code == 404
    assert client.post(door("incidentmatch_confirm", match.pk)).status_code == 404


def test_incident_counts_its_tickets_and_confirms_the_likelier(client, incident):
    signed_in(client, staff(Role.SUPPORT_LEAD))
    matching.link(opened(), incident, by=None)
    for confidence in (460, 560, 720):
        proposed(incident, confidence)
    page = client.get(door("incident_tickets", incident.pk)).content.decode()
    assert "?incident=INC-2026-014" in page
    assert "3 proposed" in page
    assert "from 55 %: 2" in page
    assert "from 65 %: 1" not in page  # from 70 % it is the same
    client.post(door("incident_confirm_above", incident.pk), {"confidence": "550"})
    assert incident.tickets.count() == 3


def test_incident_says_that_far_more_tickets_come_than_usual(client, incident):
    cache.delete(KEY)
    signed_in(client, agent())
    for _ in range(9):
        opened(customer=CustomerFactory.create())
    assert (surge().lately, surge().times) == (9, 9)
    page = client.get(door("incident_tickets", incident.pk)).content.decode()
    assert "9× usual: 9 in 15 minutes" in page
    cache.delete(KEY)


def test_incident_page_holds_the_tickets_part(client, incident):
    signed_in(client, agent())
    page = client.get(reverse("admin:incidents_incident_change", args=[incident.pk]))
    assert door("incident_tickets", incident.pk) in page.content.decode()
    signed_in(client, staff(Role.COMMUNICATIONS))
    page = client.get(reverse("admin:incidents_incident_change", args=[incident.pk]))
    assert door("incident_tickets", incident.pk) not in page.content.decode()


def test_list_of_matches_confirms_many(client, incident):
    signed_in(client, agent())
    matches = [proposed(incident) for _ in range(3)]
    address = reverse("admin:support_incidentmatch_changelist")
    page = client.get(f"{address}?incident=INC-2026-014&state__exact=proposed")
    assert "The incident hit this customer" in page.content.decode()
    chosen = {
        "action": "confirm_matches",
        "_selected_action": [match.pk for match in matches[:2]],
    }
    client.post(address, chosen)
    assert incident.tickets.count() == 2


def test_measure_page_shows_labels_and_bands(client, incident):
    ann = signed_in(client, agent())
    matching.confirm(proposed(incident), by=ann)
    page = client.get(door("incidentmatch_measured")).content.decode()
    assert "Nobody has confirmed or rejected an automatic link yet" in page
    match = proposed(incident, 860)
    IncidentMatch.objects.filter(pk=match.pk).update(first_state="linked")
    matching.confirm(IncidentMatch.objects.get(pk=match.pk), by=ann)
    page = client.get(door("incidentmatch_measured"), {"days": "7"}).content.decode()
    assert "100.0 % of the automatic links that people looked at are right (1 of them)." in page
    assert "85 – 95 %" in page


def drafted(client, incident, count=2):
    lead = signed_in(client, staff(Role.SUPPORT_LEAD))
    for _ in range(count):
        matching.link(opened(customer=CustomerFactory.create()), incident, by=None)
    client.post(door("incident_draft_reply", incident.pk))
    return lead, MassReply.objects.get(incident=incident)


def test_mass_reply_is_drafted_previewed_and_sent(client, incident):
    _lead, draft = drafted(client, incident)
    address = door("massreply_change", draft.pk)
    client.post(door("massreply_save", draft.pk), {"text_en": "Works: {{ ticket.number }}"})
    draft.refresh_from_db()
    assert (draft.texts, draft.solves) == ({"en": "Works: {{ ticket.number }}"}, False)
    unsaved = client.post(door("massreply_preview", draft.pk), {"text_en": "Other text"})
    assert unsaved.content.decode().count("Other text") == 2
    page = client.get(address).content.decode()
    assert "Send to 2 customers, in one language, and leave their tickets open?" in page
    client.post(door("massreply_start", draft.pk), {"recipients": "2"})
    draft.refresh_from_db()
    assert draft.state == "running"
    assert "waiting for the worker" in client.get(address).content.decode()
    while not mass_reply.write_slice().is_over:
        pass
    stale = client.get(door("massreply_progress", draft.pk), {"state": "running"})
    assert stale.headers["HX-Refresh"] == "true"
    assert "All is written." in client.get(address).content.decode()
    written = client.get(door("massreply_recipients", draft.pk), {"state": "written"})
    assert "waiting to be sent" in written.content.decode()


def test_mass_reply_tells_mistakes_and_stale_questions(client, incident):
    _lead, draft = drafted(client, incident)
    answer = client.post(door("massreply_save", draft.pk), {"text_en": "{{ x.y }}"}, follow=True)
    assert "Not saved." in answer.content.decode()
    answer = client.post(door("massreply_preview", draft.pk), {"text_en": "{{ x.y }}"})
    assert "there is no “x.y”" in answer.content.decode()
    answer = client.post(door("massreply_start", draft.pk), {"recipients": "1"}, follow=True)
    assert "Meanwhile there are 2 recipients, not 1" in answer.content.decode()


def test_recipient_is_left_out_and_taken_back(client, incident):
    lead, draft = drafted(client, incident)
    row = draft.recipients.all()[0]
    client.post(door("massreply_exclude", row.pk), {"reason": "is called"})
    page = client.get(door("massreply_recipients", draft.pk), {"state": "excluded"})
    assert "is called" in page.content.decode()
    row.refresh_from_db()
    assert (row.state, row.excluded_by) == ("excluded", lead)
    client.post(door("massreply_include", row.pk))
    row.refresh_from_db()
    assert row.state == "waiting"


@pytest.mark.parametrize("tickets", [1, 3])
def test_pages_take_the_same_queries(client, incident, tickets, django_assert_max_num_queries):
    _lead, draft = drafted(client, incident, tickets)
    for _ in range(tickets):
        proposed(incident)
    for address, most in [
        (door("massreply_change", draft.pk), 24),
        (door("massreply_recipients", draft.pk), 8),
        (door("incident_tickets", incident.pk), 16),
        (reverse("admin:support_massreply_changelist"), 14),
        (reverse("admin:support_incidentmatch_changelist"), 14),
    ]:
        client.get(address)
        with django_assert_max_num_queries(most):
            assert client.get(address).status_code == 200


def test_queue_page_links_and_unlinks_many(client, incident):
    signed_in(client, agent())
    chosen = [opened(customer=CustomerFactory.create()).pk for _ in range(2)]
    address = door("ticket_bulk")
    assert "Fibre outage" in client.get(address).content.decode()
    client.post(address, {"do": "incident", "ticket": chosen, "to_incident": "INC-2026-014"})
    assert incident.tickets.count() == 2
    client.post(address, {"do": "incident", "ticket": chosen[:1], "to_incident": "none"})
    assert [ticket.pk for ticket in incident.tickets.all()] == chosen[1:]
