import pytest
from django.core import mail as django_mail

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from backoffice.channels.email.tokens import reply_address
from backoffice.customers.models import Contact
from support.intake import handle_inbound, handling, store_inbound, taking
from support.models import Inbound, Message, Queue, Ticket, TicketEvent
from support.models.ticket import Channel, Status
from support.outgoing import send_messages
from support.tickets import merge_ticket, reply, set_status
from tests.channels.odd_mail import DATE, ODD, PNG, bounce, mail, parts, plain
from tests.customers.factories import CustomerFactory
from tests.support.factories import QueueFactory, agent
from tests.support.mail_servers import SUPPORT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ours(settings):
    settings.SUPPORT_EMAIL = SUPPORT
    settings.DEFAULT_FROM_EMAIL = f"Amends <{SUPPORT}>"


@pytest.fixture
def ada():
    return CustomerFactory.create(email="Ada@example.com", name="Ada Weber", language="de")


def came(raw, account=SUPPORT):
    """The row of a mail that was stored and handled."""
    row = store_inbound(Channel.EMAIL, account, raw)
    handle_inbound()
    row.refresh_from_db()
    return row


def written(*headers, sender="ada@example.com", number="1", body="It does not work.", to=SUPPORT):
    return mail(
        f"From: {sender}", f"To: {to}", f"Message-ID: <{number}@example.com>", *headers, body=body
    )


def answered_ticket(**headers):
    """A ticket by mail with an agent's answer that was sent; the answer."""
    ticket = came(written("Subject: No internet")).ticket
    answer = reply(ticket, by=agent(), text="Is it plugged in?")
    Message.objects.filter(pk=answer.pk).update(send_at=answer.created_at)
    send_messages()
    answer.refresh_from_db()
    return answer


def test_mail_becomes_a_ticket_of_its_customer(ada):
    row = came(written("Subject: No internet", DATE))
    ticket, message = row.ticket, row.message
    assert (row.state, row.error) == ("handled", "")
    assert (ticket.subject, ticket.status, ticket.channel) == ("No internet", "new", "email")
    assert (ticket.customer, ticket.language) == (ada, "de")
    assert ticket.requester_address == "ada@example.com"
    assert (message.text, message.message_id) == ("It does not work.", "1@example.com")
    assert (message.direction, message.kind, message.is_automatic) == ("in", "public", False)
    assert message.to == [SUPPORT]


def test_stranger_gets_a_ticket_in_their_language():
    body = "Здравствуйте, у меня со вчерашнего дня не работает интернет."
    ticket = came(written("Content-Type: text/plain; charset=utf-8", body=body)).ticket
    assert (ticket.customer, ticket.language) == (None, "ru")
    assert ticket.subject == "(no subject)"


def test_user_who_speaks_for_a_customer_is_known(ada):
    user = User.objects.create_user("bob@example.com")
    Contact.objects.create(user=user, customer=ada)
    assert came(written(sender="Bob@example.com")).ticket.customer == ada


def test_address_of_two_customers_is_nobody_s(ada):
    CustomerFactory.create(email="ada@example.com")
    assert came(written()).ticket.customer is None


def test_same_mail_twice_is_kept_once():
    first, second = came(written()), came(written())
    assert first.pk == second.pk
    assert Ticket.objects.count() == 1


def test_same_mail_in_two_mailboxes_is_kept_twice():
    assert came(written()).pk != came(written(), account="sales@amends.example").pk


def test_mail_without_message_id_is_kept_once():
    raw = mail("From: ada@example.com", "Subject: No internet", DATE, body="Hello.")
    assert came(raw).pk == came(raw).pk
    assert came(raw).message.message_id.endswith(".invalid")


def test_another_sender_under_a_used_message_id_is_kept():
    first, second = came(written()), came(written(sender="eve@example.com"))
    assert first.pk != second.pk
    assert came(written(sender="eve@example.com")).pk == second.pk


@pytest.mark.parametrize("name", ODD)
def test_odd_mail_is_a_ticket(name):
    row = came(ODD[name])
    assert row.state == "handled"
    assert row.ticket is not None
    assert row.message.text
    assert bytes(row.raw) == ODD[name]


def test_what_cannot_be_read_is_told():
    message = came(ODD["hour 29"]).message
    assert message.unreadable == "Its date cannot be read: “Sat, 21 Nov 2026 29:00:00 +0100”."


def test_mail_without_sender_is_a_ticket_that_nobody_answers(mailoutbox):
    ticket = came(ODD["no from"]).ticket
    assert ticket.requester_address == "unknown@no-sender.invalid"
    answer = reply(ticket, by=None, text="Hello?")
    send_messages()
    answer.refresh_from_db()
    assert (answer.delivery, mailoutbox) == ("failed", [])
    assert answer.delivery_error == "Its sender left no address to answer to."


def test_answer_by_reply_address_goes_on():
    answer = answered_ticket()
    to = reply_address(SUPPORT, str(answer.ticket_id))
    row = came(written("Subject: something else", number="2", to=to))
    assert row.ticket == answer.ticket
    row.ticket.refresh_from_db()
    assert row.ticket.status == Status.OPEN


@pytest.mark.parametrize("header", ["In-Reply-To", "References"])
def test_answer_by_message_id_goes_on(header):
    answer = answered_ticket()
    assert answer.message_id
    row = came(written(f"{header}: <other@x> <{answer.message_id}>", number="2"))
    assert row.ticket == answer.ticket
    assert row.message.direction == "in"


def test_answer_by_subject_goes_on():
    answer = answered_ticket()
    row = came(written(f"Subject: AW: no internet [T-{answer.ticket_id}]", number="2"))
    assert row.ticket == answer.ticket


def test_forged_reply_address_is_a_new_ticket():
    answer = answered_ticket()
    to = reply_address(SUPPORT, str(answer.ticket_id + 1)).replace(
        str(answer.ticket_id + 1), str(answer.ticket_id)
    )
    assert came(written(number="2", to=to)).ticket != answer.ticket


def test_reply_address_wins_over_subject():
    first = answered_ticket()
    other = came(written(number="3")).ticket
    to = reply_address(SUPPORT, str(first.ticket_id))
    row = came(written(f"Subject: [T-{other.pk}]", number="4", to=to))
    assert row.ticket == first.ticket


@pytest.mark.parametrize("by", ["address", "subject", "id"])
def test_stranger_s_answer_is_a_new_ticket_that_points_at_it(by):
    answer = answered_ticket()
    ticket = answer.ticket
    to = reply_address(SUPPORT, str(ticket.pk)) if by == "address" else SUPPORT
    headers = {
        "address": [],
        "subject": [f"Subject: Re: [T-{ticket.pk}]"],
        "id": [f"In-Reply-To: <{answer.message_id}>"],
    }[by]
    row = came(written(*headers, sender="eve@example.com", number="2", to=to))
    assert row.ticket != ticket
    note = row.ticket.messages.get(kind="internal")
    assert note.text == (
        f"This names {ticket.number}, but does not go on there: its sender takes no part in it."
    )
    assert ticket.messages.filter(direction="in").count() == 1


def test_who_was_copied_takes_part():
    answer = answered_ticket()
    came(written("Cc: Bob <bob@example.com>", f"In-Reply-To: <{answer.message_id}>", number="2"))
    row = came(written(f"In-Reply-To: <{answer.message_id}>", sender="bob@example.com", number="3"))
    assert row.ticket == answer.ticket
    assert row.message.author_address == "bob@example.com"


def test_answer_to_a_closed_ticket_is_a_new_one_that_points_at_it():
    answer = answered_ticket()
    set_status(answer.ticket, Status.CLOSED, by=None)
    row = came(written(f"In-Reply-To: <{answer.message_id}>", number="2"))
    assert row.ticket != answer.ticket
    assert row.ticket.messages.get(kind="internal").text.endswith("it is closed.")


def test_answer_to_a_merged_ticket_goes_on_where_it_went(ada):
    answer = answered_ticket()
    other = came(written(number="5")).ticket
    merge_ticket(answer.ticket, into=other, by=agent(role=Role.SUPPORT_LEAD))
    to = reply_address(SUPPORT, str(answer.ticket_id))
    assert came(written(number="6", to=to)).ticket == other


def test_answer_that_waits_for_the_mail_it_answers_is_handled_after_it(monkeypatch):
    first = store_inbound(Channel.EMAIL, SUPPORT, written())
    second = store_inbound(
        Channel.EMAIL, SUPPORT, written("In-Reply-To: <1@example.com>", number="2")
    )
    handle_inbound([second.pk])
    second.refresh_from_db()
    assert (second.state, second.attempts) == ("new", 0)
    Inbound.objects.update(next_at=None)
    handle_inbound()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.ticket == second.ticket


def test_bounce_joins_the_ticket_marks_the_answer_and_reopens_nothing():
    answer = answered_ticket()
    set_status(answer.ticket, Status.SOLVED, by=None)
    sent = django_mail.outbox[-1].message().as_bytes()
    row = came(bounce(sent))
    answer.refresh_from_db()
    row.ticket.refresh_from_db()
    assert (row.ticket, row.message.is_automatic) == (answer.ticket, True)
    assert (answer.delivery, row.ticket.status) == ("bounced", Status.SOLVED)
    assert "could not be delivered" in answer.delivery_error
    event = TicketEvent.objects.get(kind="delivery")
    assert event.data == {"message": answer.pk, "state": "bounced"}


def test_bounce_joins_even_a_closed_ticket():
    answer = answered_ticket()
    set_status(answer.ticket, Status.CLOSED, by=None)
    row = came(bounce(django_mail.outbox[-1].message().as_bytes()))
    row.ticket.refresh_from_db()
    assert (row.ticket, row.ticket.status) == (answer.ticket, Status.CLOSED)


def test_bounce_of_what_we_never_sent_marks_nothing():
    answer = answered_ticket()
    row = came(
        bounce(mail("Message-ID: <made-up@amends.example>", f"Subject: [T-{answer.ticket_id}]"))
    )
    answer.refresh_from_db()
    assert row.ticket != answer.ticket
    assert answer.delivery == "sent"


def test_out_of_office_joins_and_reopens_nothing(mailoutbox):
    answer = answered_ticket()
    mails = len(mailoutbox)
    set_status(answer.ticket, Status.SOLVED, by=None)
    row = came(
        written(
            "Subject: Automatic reply: No internet",
            "Auto-Submitted: auto-replied",
            f"In-Reply-To: <{answer.message_id}>",
            sender="ada.weber@corp.example",
            number="2",
        )
    )
    row.ticket.refresh_from_db()
    assert (row.ticket, row.message.is_automatic) == (answer.ticket, True)
    assert row.ticket.status == Status.SOLVED
    send_messages()
    assert len(mailoutbox) == mails


def test_our_own_mail_that_comes_back_is_no_new_message():
    answer = answered_ticket()
    before = Message.objects.count()
    row = came(django_mail.outbox[-1].message().as_bytes())
    assert (row.ticket, row.message) == (answer.ticket, answer)
    assert Message.objects.count() == before


def test_new_ticket_is_acknowledged_in_its_language(ada, mailoutbox):
    ticket = came(written("Subject: No internet")).ticket
    send_messages()
    (sent,) = mailoutbox
    assert sent.to == ["ada@example.com"]
    assert sent.subject.endswith(f"[{ticket.number}]")
    assert ticket.number in sent.body
    assert "geantwortet" not in sent.body
    message = sent.message()
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<1@example.com>"
    assert message["Reply-To"] == f"Amends <{reply_address(SUPPORT, str(ticket.pk))}>"
    ticket.refresh_from_db()
    assert (ticket.status, ticket.first_response_at) == (Status.NEW, None)


@pytest.mark.parametrize(
    "header",
    ["Auto-Submitted: auto-generated", "Precedence: bulk", "X-Auto-Response-Suppress: All",
     "X-Loop: amends", "List-Id: <a.example>"],
)  # fmt: skip
def test_machine_s_mail_is_a_ticket_without_acknowledgement(header, mailoutbox):
    assert came(written(header)).ticket
    send_messages()
    assert mailoutbox == []


def test_mail_from_our_own_address_is_not_answered(mailoutbox):
    assert came(written(sender=SUPPORT)).ticket
    send_messages()
    assert mailoutbox == []


def test_queue_or_installation_that_does_not_acknowledge(settings, mailoutbox):
    Queue.objects.update(acknowledges=False)
    came(written())
    Queue.objects.update(acknowledges=True)
    settings.SUPPORT_ACKNOWLEDGES = False
    came(written(number="2"))
    send_messages()
    assert mailoutbox == []


def test_eleventh_ticket_in_three_hours_is_not_acknowledged(mailoutbox):
    for number in range(12):
        came(written(number=str(number)))
    came(written(number="20", sender="bob@example.com"))
    send_messages()
    assert [sent.to[0] for sent in mailoutbox].count("ada@example.com") == 10
    assert [sent.to[0] for sent in mailoutbox].count("bob@example.com") == 1
    assert Ticket.objects.count() == 13


def test_limit_holds_for_whatever_a_machine_writes(mailoutbox):
    ticket = came(written()).ticket
    for _ in range(12):
        reply(ticket, by=None, text="Beep.", then_status="", is_automatic=True)
    send_messages()
    assert len(mailoutbox) == 10
    assert ticket.messages.filter(delivery="failed").count() == 3


def test_mail_goes_to_the_queue_of_its_address():
    sales = QueueFactory.create(email="sales@amends.example")
    assert came(written(to="Sales <sales+x@amends.example>")).ticket.queue == sales
    assert came(written(number="2"), account="sales@amends.example").ticket.queue == sales
    assert came(written(number="3")).ticket.queue != sales


def test_files_come_along_and_programs_do_not():
    program = b'Content-Type: text/plain; name="virus.exe"\r\n\r\nMZ'
    raw = parts("mixed", plain("See this."), program, headers=("From: ada@example.com",))
    message = came(raw).message
    assert list(message.attachments.all()) == []
    assert "virus.exe" in message.unreadable
    message = came(ODD["inline image"]).message
    (attachment,) = message.attachments.all()
    assert (attachment.content_type, attachment.content_id) == ("image/png", "logo@example.com")
    with attachment.file.open("rb") as file:
        assert file.read() == PNG


def test_file_above_the_limit_is_told(settings):
    settings.ATTACHMENT_MAX_BYTES = 10
    message = came(ODD["inline image"]).message
    assert list(message.attachments.all()) == []
    assert "logo.png" in message.unreadable


def test_failure_is_tried_again_and_becomes_a_ticket_in_the_end(monkeypatch):
    def broken(*args):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr(handling, "take_in", broken)
    row = came(written("Subject: No internet"))
    assert (row.state, row.error, row.attempts) == ("new", "ZeroDivisionError: boom", 1)
    assert row.ticket is None
    handle_inbound()
    row.refresh_from_db()
    assert row.attempts == 1  # not due yet
    for _ in range(3):
        Inbound.objects.update(next_at=None)
        handle_inbound()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("failed", 4)
    assert row.error == "ZeroDivisionError: boom"
    assert row.ticket.tags == ["unreadable"]
    assert "Subject: No internet" in row.message.text
    assert row.message.unreadable


def test_storage_that_is_away_is_waited_for(monkeypatch):
    def away(*_, **__):
        raise ConnectionRefusedError("storage")

    monkeypatch.setattr(taking, "store_attachment", away)
    row = came(ODD["inline image"])
    for _ in range(5):
        Inbound.objects.update(next_at=None)
        handle_inbound()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.error) == ("new", 0, "ConnectionRefusedError: storage")
    assert Ticket.objects.count() == 0
    monkeypatch.undo()
    Inbound.objects.update(next_at=None)
    handle_inbound()
    row.refresh_from_db()
    assert (row.state, row.message.attachments.count()) == ("handled", 1)


def test_failure_of_one_mail_leaves_the_others_alone(monkeypatch):
    whole = taking.find_ticket

    def sometimes(incoming):
        if incoming.message_id == "1@example.com":
            raise ZeroDivisionError
        return whole(incoming)

    monkeypatch.setattr(taking, "find_ticket", sometimes)
    first = store_inbound(Channel.EMAIL, SUPPORT, written())
    second = came(written(number="2"))
    first.refresh_from_db()
    assert (first.state, second.state) == ("new", "handled")


def test_first_mail_takes_a_steady_number_of_queries(django_assert_max_num_queries):
    came(written())
    store_inbound(Channel.EMAIL, SUPPORT, written(number="2"))
    with django_assert_max_num_queries(34):
        handle_inbound()
