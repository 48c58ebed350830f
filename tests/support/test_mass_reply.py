"""One answer to all tickets of an incident."""

from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from support import mass_reply, matching
from support.models import MassReplyRecipient, Message, Ticket
from support.tickets import reply, set_status
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import approved_batch
from tests.customers.factories import CustomerFactory
from tests.incidents.factories import IncidentFactory
from tests.support.factories import agent, opened

pytestmark = pytest.mark.django_db

TEXTS = {
    "en": 'Hello {{ customer.first_name | default: "there" }}, {{ ticket.number }} is solved.',
    "de": "Hallo, {{ ticket.number }} ist gelöst.",
}


@pytest.fixture
def lead():
    return staff(Role.SUPPORT_LEAD)


@pytest.fixture
def incident():
    return IncidentFactory.create(
        state="resolved", title="Fibre outage", resolved_at=timezone.now()
    )


def linked(incident, count=1, **customer):
    """Tickets of `incident`, each of a customer of their own."""
    made = []
    for _ in range(count):
        ticket = opened(customer=CustomerFactory.create(**customer))
        matching.link(ticket, incident, by=None)
        made.append(ticket)
    return made


def drafted(incident, lead, texts=TEXTS, *, solves=True):
    draft = mass_reply.draft(incident, by=lead)
    return mass_reply.change_draft(draft, texts=texts, solves=solves, by=lead)


def written_out(draft):
    """Write all there is, as the worker would; how many slices it took."""
    for turn in range(100):
        if mass_reply.write_slice().is_over:
            draft.refresh_from_db()
            return turn
    raise AssertionError("It never ends.")


def states(draft):
    return {r.ticket_id: (r.state, r.exclusion) for r in draft.recipients.all()}


def test_draft_starts_with_a_text_for_what_is_over_or_runs(incident, lead):
    draft = mass_reply.draft(incident, by=lead)
    assert (draft.solves, sorted(draft.texts)) == (True, ["de", "en", "ru"])
    assert "{{ credit.amount }}" in draft.texts["ru"]
    running = mass_reply.draft(IncidentFactory.create(), by=lead)
    assert (running.solves, "credit" in running.texts["en"]) == (False, False)
    assert mass_reply.draft(incident, by=lead) == draft


def test_draft_with_unknown_variable_or_without_english_is_refused(incident, lead):
    draft = mass_reply.draft(incident, by=lead)
    for texts in ({"de": "Hallo"}, {"en": "Hi {{ customer.nmae }}"}):
        with pytest.raises(ValidationError):
            mass_reply.change_draft(draft, texts=texts, solves=True, by=lead)


def test_only_who_may_send_mass_replies_drafts_one(incident):
    with pytest.raises(PermissionDenied):
        mass_reply.draft(incident, by=agent())
    mass_reply.draft(incident, by=staff(Role.INCIDENT_MANAGER))


def test_recipients_are_left_out_by_themselves(incident, lead):
    closed, solved, answered, unreachable, bounced, unlinked, fine = linked(incident, 7)
    set_status(closed, "closed", by=None)
    set_status(solved, "solved", by=None)
    reply(answered, by=agent(), text="We are on it", then_status="open")
    Ticket.objects.filter(pk=unreachable.pk).update(customer=None, requester_address="")
    reply(bounced, by=None, text="Hi", is_automatic=True, delivery=Message.Delivery.BOUNCED)
    draft = drafted(incident, lead)
    matching.unlink(unlinked, by=agent())
    mass_reply.find_recipients(draft)
    assert states(draft) == {
        closed.pk: ("excluded", "closed"),
        solved.pk: ("excluded", "solved"),
        answered.pk: ("excluded", "answered"),
        unreachable.pk: ("excluded", "unanswerable"),
        bounced.pk: ("excluded", "unanswerable"),
        unlinked.pk: ("excluded", "unlinked"),
        fine.pk: ("waiting", ""),
    }
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        mass_reply.find_recipients(draft)
    assert states(draft)[answered.pk] == ("waiting", "")


def test_excluded_by_hand_stays_out_until_taken_back(incident, lead):
    linked(incident, 2)
    draft = drafted(incident, lead)
    first = draft.recipients.all()[0]
    with pytest.raises(ValidationError):
        mass_reply.exclude(first, by=lead, reason=" ")
    mass_reply.exclude(first, by=lead, reason="will be called")
    mass_reply.find_recipients(draft)
    assert mass_reply.figures(draft)["exclusions"] == {"by_hand": 1}
    assert mass_reply.include(first, by=lead).state == "waiting"
    with pytest.raises(MoveError):
        mass_reply.include(first, by=lead)


def test_each_customer_reads_their_own_language(incident, lead):
    english, german, russian = (
        linked(incident, name=name, language=language)[0]
        for name, language in [("Ada Byron", "en"), ("Emmy Noether", "de"), ("Софья К", "ru")]
    )
    draft = drafted(incident, lead)
    assert mass_reply.figures(draft)["languages"] == {"en": 1, "de": 1, "ru": 1}
    mass_reply.start(draft, recipients=3, by=lead)
    written_out(draft)
    assert (draft.state, draft.started_by) == ("done", lead)
    said = {m.ticket_id: (m.text, m.language) for m in Message.objects.filter(mass_reply=draft)}
    assert said == {
        english.pk: (f"Hello Ada, {english.number} is solved.", "en"),
        german.pk: (f"Hallo, {german.number} ist gelöst.", "de"),
        russian.pk: (f"Hello Софья, {russian.number} is solved.", "en"),
    }
    message = Message.objects.filter(mass_reply=draft)[0]
    assert (message.delivery, message.author, message.is_automatic) == ("queued", lead, False)
    assert set(Ticket.objects.values_list("status", flat=True)) == {"solved"}
    event = english.events.get(kind="message_out")
    assert event.data["mass_reply"] == draft.pk


def test_tickets_stay_open_if_it_says_so(incident, lead):
    (new,), (waiting,) = linked(incident), linked(incident)
    set_status(waiting, "on_hold", by=None)
    draft = drafted(incident, lead, solves=False)
    mass_reply.start(draft, recipients=2, by=lead)
    written_out(draft)
    new.refresh_from_db()
    waiting.refresh_from_db()
    assert (new.status, waiting.status) == ("open", "on_hold")
    assert new.unanswered_since is None


def test_credit_is_said_only_to_whom_it_is_approved(incident, lead):
    batch = approved_batch(incident=incident)
    approved = batch.awards.get()
    with_credit = opened(customer=approved.customer)
    proposed = opened(customer=AwardFactory.create(batch__incident=incident).customer)
    without = opened(customer=CustomerFactory.create())
    for ticket in (with_credit, proposed, without):
        matching.link(ticket, incident, by=None)
    text = "Sorry.\n\nYou get {{ credit.amount }}.\n\nYours"
    draft = drafted(incident, lead, {"en": text})
    assert mass_reply.figures(draft)["without_credit"] == 2
    mass_reply.start(draft, recipients=3, by=lead)
    written_out(draft)
    said = dict(Message.objects.filter(mass_reply=draft).values_list("ticket", "text"))
    assert said == {
        with_credit.pk: "Sorry.\n\nYou get EUR 49.90.\n\nYours",
        proposed.pk: "Sorry.\n\nYours",
        without.pk: "Sorry.\n\nYours",
    }


def test_preview_shows_real_rows_and_what_cannot_be_said(incident, lead):
    (german,), (english,) = linked(incident, language="de"), linked(incident)
    draft = drafted(incident, lead, {"en": "Only {{ incident.minutes }} min", "de": "Hallo"})
    rows = {row.recipient.ticket_id: row for row in mass_reply.preview(draft, by=lead)}
    assert rows[german.pk].written.text == "Hallo"
    assert rows[english.pk].written is None
    assert rows[english.pk].problems[0].startswith("{{ incident.minutes }}:")
    assert [r.recipient.ticket for r in mass_reply.preview(draft, by=lead, language="de")] == [
        german
    ]


def test_start_with_other_recipients_than_told_is_refused(incident, lead):
    linked(incident, 2)
    draft = drafted(incident, lead)
    linked(incident)
    with pytest.raises(MoveError, match="3 recipients, not 2"):
        mass_reply.start(draft, recipients=2, by=lead)
    mass_reply.start(draft, recipients=3, by=lead)
    with pytest.raises(MoveError):
        mass_reply.start(draft, recipients=3, by=lead)


def test_start_without_anybody_is_refused(incident, lead):
    with pytest.raises(ValidationError):
        mass_reply.start(drafted(incident, lead), recipients=0, by=lead)


def test_what_changes_meanwhile_is_looked_at_when_written(incident, lead):
    closed, fine = linked(incident, 2)
    draft = drafted(incident, lead)
    mass_reply.start(draft, recipients=2, by=lead)
    set_status(closed, "closed", by=None)
    written_out(draft)
    assert states(draft) == {closed.pk: ("excluded", "closed"), fine.pk: ("written", "")}


def test_one_that_cannot_be_written_fails_alone_and_is_tried_again(incident, lead):
    person, company = linked(incident, name="Ada B") + linked(incident, name="Muster GmbH")
    draft = drafted(incident, lead, {"en": "Hello {{ customer.first_name }}"})
    mass_reply.start(draft, recipients=2, by=lead)
    written_out(draft)
    assert states(draft) == {person.pk: ("written", ""), company.pk: ("failed", "")}
    assert "customer.first_name" in draft.recipients.get(ticket=company).reason
    company.customer.name = "Emmy N"
    company.customer.save()
    Ticket.objects.filter(pk=company.pk).update(requester_name="")
    assert mass_reply.retry_failed(draft, by=lead) == 1
    written_out(draft)
    assert (draft.state, states(draft)[company.pk]) == ("done", ("written", ""))
    assert mass_reply.retry_failed(draft, by=lead) == 0


def test_message_that_was_not_sent_is_sent_again(incident, lead):
    linked(incident)
    draft = drafted(incident, lead)
    mass_reply.start(draft, recipients=1, by=lead)
    written_out(draft)
    Message.objects.filter(mass_reply=draft).update(delivery="failed", attempts=5)
    assert mass_reply.progress(draft)["not_sent"] == 1
    assert mass_reply.retry_failed(draft, by=lead) == 1
    message = Message.objects.get(mass_reply=draft)
    assert (message.delivery, message.attempts) == ("queued", 0)


def test_rate_is_kept(incident, lead, settings):
    settings.SUPPORT_MASS_REPLY_PER_MINUTE = 2
    linked(incident, 3)
    draft = drafted(incident, lead)
    mass_reply.start(draft, recipients=3, by=lead)
    assert mass_reply.write_slice().handled == 2
    assert mass_reply.write_slice() == mass_reply.writing.Slice(handled=0, is_over=False)
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        assert mass_reply.write_slice().handled == 1
        written_out(draft)
    assert draft.state == "done"


def test_pause_resume_and_cancel(incident, lead):
    linked(incident, 2)
    draft = drafted(incident, lead)
    mass_reply.start(draft, recipients=2, by=lead)
    mass_reply.pause(draft, by=lead, reason="wrong text?")
    assert mass_reply.write_slice().is_over
    assert not Message.objects.filter(mass_reply=draft).exists()
    with pytest.raises(MoveError):
        mass_reply.draft(incident, by=lead)
    mass_reply.resume(draft, by=lead)
    mass_reply.cancel(draft, by=lead, reason="yes")
    assert mass_reply.write_slice().is_over
    assert not Message.objects.filter(mass_reply=draft).exists()
    with pytest.raises(MoveError):
        mass_reply.resume(draft, by=lead)
    assert mass_reply.draft(incident, by=lead) != draft


def test_database_refuses_a_second_message_to_a_ticket(incident, lead):
    (ticket,) = linked(incident)
    draft = drafted(incident, lead)
    mass_reply.start(draft, recipients=1, by=lead)
    written_out(draft)
    with pytest.raises(IntegrityError), transaction.atomic():
        reply(ticket, by=None, text="again", mass_reply=draft)
    MassReplyRecipient.objects.update(state="waiting")
    type(draft).objects.update(state="running")
    written_out(draft)
    assert Message.objects.filter(mass_reply=draft).count() == 1


def test_progress_tells_counts_and_deliveries(incident, lead):
    linked(incident, 3)
    draft = drafted(incident, lead)
    mass_reply.exclude(draft.recipients.all()[0], by=lead, reason="called")
    mass_reply.start(draft, recipients=2, by=lead)
    written_out(draft)
    progress = mass_reply.progress(draft)
    assert (progress["total"], progress["written"], progress["excluded"]) == (2, 2, 1)
    assert (progress["on_its_way"], progress["sent"], progress["came_back"]) == (2, 0, 0)
    assert progress["shares"] == {"written": 100, "failed": 0}


@pytest.mark.parametrize("tickets", [1, 3])
def test_finding_recipients_takes_the_same_queries(
    incident, lead, tickets, django_assert_num_queries
):
    linked(incident, tickets)
    draft = mass_reply.draft(incident, by=lead)
    with django_assert_num_queries(3):
        mass_reply.find_recipients(draft)
    with django_assert_num_queries(5):
        mass_reply.figures(draft)
