"""What is done with tickets."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import ProgrammingError, connection
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from support.drafts import attach_to_draft, save_draft
from support.models import Attachment, Draft, Message, Queue, Ticket, TicketEvent
from support.models.ticket import Band, Status
from support.processing import process_events
from support.tickets import (
    add_note,
    assign,
    change_tags,
    merge_ticket,
    raise_priority,
    receive_message,
    reply,
    set_parent,
    set_queue,
    set_status,
    split_ticket,
    take_back,
)
from tests.accounts.factories import staff
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.support.factories import QueueFactory, agent, opened

pytestmark = pytest.mark.django_db


def kinds(ticket):
    return [event.kind for event in ticket.events.all()]


def test_open_ticket_keeps_the_first_message_and_says_so():
    ticket = opened(tags=["VIP"])
    assert (ticket.status, ticket.messages_count) == ("new", 1)
    assert ticket.requester_address == "ada@example.com"
    assert ticket.messages.get().text == "Nothing works since two."
    assert kinds(ticket) == ["opened"]
    assert ticket.number == f"T-{ticket.pk}"
    assert ticket.pk >= 10001


def test_open_ticket_twice_with_one_key_opens_one():
    assert opened(external_id="a") == opened(external_id="a", text="again")
    assert Ticket.objects.count() == 1


def test_open_ticket_without_text_names_the_field():
    with pytest.raises(ValidationError) as error:
        opened(text=" ", subject="")
    assert sorted(error.value.message_dict) == ["subject", "text"]


def test_reply_waits_to_be_taken_back_and_moves_the_ticket():
    ticket, ann = opened(), agent()
    message = reply(ticket, by=ann, text="We are on it.")
    assert (ticket.status, ticket.unanswered_since) == ("waiting", None)
    assert ticket.first_response_at is not None
    assert (message.delivery, message.to) == ("queued", ["ada@example.com"])
    assert message.send_at > timezone.now()


def test_take_back_leaves_the_ticket_as_it_was():
    ticket, ann = opened(), agent()
    waited = ticket.unanswered_since
    assign(ticket, ann, by=ann)
    message = reply(ticket, by=ann, text="Oops.")
    take_back(message, by=ann)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.unanswered_since) == ("open", waited)
    assert ticket.first_response_at is None
    assert message.delivery == "cancelled"


def test_take_back_is_too_late_once_it_is_sent():
    ticket, ann = opened(), agent()
    message = reply(ticket, by=ann, text="We are on it.")
    Message.objects.update(delivery="sending")
    with pytest.raises(MoveError, match="on its way"):
        take_back(message, by=ann)


def test_reply_on_time_moves_the_ticket_when_it_is_sent_only():
    ticket, ann = opened(), agent()
    message = reply(ticket, by=ann, text="Later.", send_at=timezone.now() + timedelta(hours=2))
    assert (ticket.status, message.then_status) == ("new", "waiting")
    assert ticket.unanswered_since is not None


def test_customers_word_opens_what_was_solved():
    ticket, ann = opened(), agent()
    reply(ticket, by=ann, text="Done.", then_status="solved")
    assert ticket.solved_at is not None
    receive_message(ticket, text="It is not.")
    assert (ticket.status, ticket.reopened, ticket.solved_at) == ("open", 1, None)
    assert ticket.unanswered_since is not None


def test_automatic_word_never_reopens():
    ticket, ann = opened(), agent()
    set_status(ticket, Status.SOLVED, by=ann)
    receive_message(ticket, text="I am away.", is_automatic=True)
    assert (ticket.status, ticket.reopened) == ("solved", 0)


def test_closed_takes_no_more_words():
    ticket, ann = opened(), agent()
    set_status(ticket, Status.CLOSED, by=ann)
    with pytest.raises(MoveError, match="closed"):
        receive_message(ticket, text="Hello?")
    with pytest.raises(MoveError, match="cannot become open"):
        set_status(ticket, Status.OPEN, by=ann)


def test_agent_of_another_queue_may_not_even_note():
    mine, theirs = QueueFactory(), QueueFactory()
    ann, bob = agent(mine), agent(theirs)
    ticket = opened(queue=mine)
    add_note(ticket, by=ann, text="Called back.")
    with pytest.raises(PermissionDenied, match="not yours"):
        add_note(ticket, by=bob, text="Me too.")
    with pytest.raises(PermissionDenied):
        reply(ticket, by=staff(Role.AUDITOR), text="I only look.")


def test_assign_refuses_who_does_not_work_there():
    mine = QueueFactory()
    ann, bob = agent(mine), agent()
    ticket = opened(queue=mine)
    with pytest.raises(ValidationError) as error:
        assign(ticket, bob, by=ann)
    assert list(error.value.message_dict) == ["assignee"]
    assert assign(ticket, ann, by=ann).status == "open"


def test_queue_moved_away_from_its_assignee_is_free_again():
    mine, other = QueueFactory(), QueueFactory()
    ann, _bob = agent(mine), agent(other)
    ticket = assign(opened(queue=mine), ann, by=ann)
    set_queue(ticket, other, by=ann)
    assert (ticket.queue, ticket.assignee) == (other, None)


def test_tags_are_kept_clean():
    ticket, ann = opened(tags=["a"]), agent()
    change_tags(ticket, by=ann, add=[" VIP ", "vip", ""], remove=["a"])
    assert ticket.tags == ["vip"]
    assert ticket.events.last().data == {"added": ["vip"], "removed": ["a"]}
    with pytest.raises(ValidationError):
        change_tags(ticket, by=ann, add=["x" * 51])


def test_merge_moves_the_words_and_closes_the_source():
    customer, ann = CustomerFactory(), agent()
    first, second = opened(customer=customer), opened(customer=customer, text="Still nothing.")
    merge_ticket(second, into=first, by=ann)
    assert [m.text for m in first.messages.all()] == ["Nothing works since two.", "Still nothing."]
    assert (second.status, second.merged_into, second.messages_count) == ("closed", first, 0)
    assert first.messages_count == 2
    receive_message(second, text="Hello?")
    assert first.messages.count() == 3


def test_merge_never_shows_one_customers_words_to_another():
    ann = agent()
    with pytest.raises(ValidationError, match="somebody else"):
        merge_ticket(opened(), into=opened(customer=CustomerFactory()), by=ann)


def test_split_makes_a_ticket_of_a_message():
    ticket, ann = opened(), agent()
    with pytest.raises(ValidationError, match="only one"):
        split_ticket(ticket.messages.get(), by=ann)
    message = receive_message(ticket, text="And my invoice is wrong.")
    split = split_ticket(message, by=ann, subject="Invoice")
    assert (split.subject, split.customer) == ("Invoice", ticket.customer)
    assert split.messages.get().text == "And my invoice is wrong."
    ticket.refresh_from_db()
    assert ticket.messages_count == 1


def test_parents_have_no_parents():
    ann = agent()
    grand, parent, child = opened(), opened(), opened()
    set_parent(parent, grand, by=ann)
    with pytest.raises(ValidationError, match="one level"):
        set_parent(child, parent, by=ann)
    with pytest.raises(ValidationError, match="own parent"):
        set_parent(child, child, by=ann)


def test_timeline_cannot_be_rewritten():
    opened()
    with pytest.raises(ProgrammingError, match="cannot be rewritten"):
        TicketEvent.objects.update(reason="it was not me")


def test_processing_scores_and_marks_events():
    customer = SubscriptionFactory(fee_minor=5_000_000).customer
    ticket = opened(customer=customer, text="This is unacceptable, I will cancel.")
    assert process_events() == 1
    assert process_events() == 0
    ticket.refresh_from_db()
    assert ticket.sentiment == -100
    assert ticket.score_parts["sentiment"] == 10
    assert ticket.score_parts["words"] == ["cancel", "unacceptable"]
    assert ticket.score == sum(v for k, v in ticket.score_parts.items() if k != "words")


def test_processing_takes_the_same_queries_for_one_and_many():
    def queries(count):
        for _n in range(count):
            opened()
        with connection.execute_wrapper(counter := Counter()):
            process_events()
        return counter.count

    assert queries(1) == queries(5)


class Counter:
    def __init__(self):
        self.count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


def test_raise_priority_holds_against_a_low_score():
    ticket, ann = opened(), agent()
    raise_priority(ticket, Band.URGENT, by=ann, reason="board")
    raise_priority(ticket, Band.HIGH, by=ann, reason="not lower")
    process_events()
    ticket.refresh_from_db()
    assert (ticket.band, ticket.band_floor) == (Band.URGENT, Band.URGENT)


def test_general_queue_is_there_from_the_start():
    assert Queue.objects.get().is_default


def test_merge_takes_what_colleagues_have_begun_along():
    customer = CustomerFactory()
    source, target = opened(customer=customer), opened(customer=customer)
    ann, ben = agent(), agent()
    save_draft(source, by=ann, kind="public", text="From Ann")
    attach_to_draft(source, by=ann, name="a.txt", content=b"words")
    save_draft(target, by=ben, kind="public", text="Ben there")
    save_draft(source, by=ben, kind="internal", text="Ben here")
    attach_to_draft(source, by=ben, name="b.txt", content=b"words")

    merge_ticket(source, into=target, by=agent())
    assert list(Draft.objects.order_by("text").values_list("ticket", "user", "text")) == [
        (target.pk, ben.pk, "Ben there\n\nBen here"),
        (target.pk, ann.pk, "From Ann"),
    ]
    assert dict(Attachment.objects.values_list("name", "draft__user")) == {
        "a.txt": ann.pk,
        "b.txt": ben.pk,
    }


def test_tags_of_a_ticket_have_an_end():
    ticket = opened()
    with pytest.raises(ValidationError, match="at most 50 tags"):
        change_tags(ticket, by=None, add=[f"t{number}" for number in range(51)])
    change_tags(ticket, by=None, add=[f"t{number}" for number in range(50)])
    change_tags(ticket, by=None, add=["vip"], remove=["t0"])
    assert (len(ticket.tags), "vip" in ticket.tags) == (50, True)
