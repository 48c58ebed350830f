import smtplib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backoffice.accounts.roles import Role
from backoffice.channels.email.tokens import reply_address
from backoffice.states import MoveError
from support import outgoing
from support.answering import send_again
from support.attachments import store_attachment
from support.models import Message, TicketEvent
from support.models.ticket import Status
from support.outgoing import send_messages, settle_lost
from support.outgoing.settling import pause_after
from support.tickets import reply, take_back
from tests.accounts.factories import staff
from tests.channels.odd_mail import PNG
from tests.support.factories import agent, opened
from tests.support.mail_servers import SUPPORT, free_port, smtp_server

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server():
    with smtp_server() as post:
        yield post


@pytest.fixture
def post(server, settings):
    """An SMTP server that took nothing yet, and ours to send by."""
    server.delivered.clear()
    server.answers.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.SUPPORT_EMAIL = SUPPORT
    return server


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def answer(**fields):
    """An agent's answer that is due now."""
    fields = {"by": agent(), "text": "Is it plugged in?"} | fields
    message = reply(fields.pop("ticket", None) or opened(message_id="1@example.com"), **fields)
    Message.objects.filter(pk=message.pk, delivery="queued").update(send_at=timezone.now())
    return message


def sent(message):
    send_messages()
    message.refresh_from_db()
    return message


def test_answer_goes_out_and_says_where_it_belongs(post):
    message = sent(answer(cc=["bob@example.com"]))
    assert (message.delivery, message.attempts, message.sending_since) == ("sent", 1, None)
    assert message.sent_at
    assert {address for address, _ in post.delivered} == {"ada@example.com", "bob@example.com"}
    mail = message_from_bytes(post.to("ada@example.com")[0], policy=default)
    ours = reply_address(SUPPORT, str(message.ticket_id))
    assert (mail["From"], mail["Reply-To"]) == (f"Amends <{SUPPORT}>", f"Amends <{ours}>")
    assert (mail["To"], mail["Cc"]) == ("ada@example.com", "bob@example.com")
    assert mail["Subject"] == f"Re: No internet [{message.ticket.number}]"
    assert mail["Message-ID"] == f"<{message.message_id}>"
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@example.com>", "<1@example.com>")
    assert (mail["Auto-Submitted"], mail["X-Loop"]) == (None, "amends")
    text = mail.get_body(("plain",)).get_content()
    page = mail.get_body(("html",)).get_content()
    assert "Is it plugged in?" in text
    assert "Is it plugged in?" in page


def test_conversation_is_referred_to_the_newest_last(post):
    first = sent(answer())
    second = sent(answer(ticket=first.ticket))
    mail = message_from_bytes(post.delivered[-1][1], policy=default)
    assert mail["In-Reply-To"] == f"<{first.message_id}>"
    assert mail["References"].split() == ["<1@example.com>", f"<{first.message_id}>"]
    assert second.message_id != first.message_id


def test_files_go_along(post):
    message = answer()
    store_attachment("Rechnung für Ä.png", PNG, message=message)
    sent(message)
    mail = message_from_bytes(post.delivered[0][1], policy=default)
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("Rechnung für Ä.png", "image/png")
    assert file.get_content() == PNG


def test_without_plus_addresses_nothing_carries_one(post, settings):
    settings.SUPPORT_PLUS_ADDRESSES = False
    sent(answer())
    raw = post.delivered[0][1]
    assert b"+t" not in raw
    assert b"[T-" in raw


def test_words_of_customers_make_no_headers(post):
    message = sent(answer(ticket=opened(subject="Hi\r\nBcc: eve@example.com")))
    assert message.delivery == "sent"
    assert [address for address, _ in post.delivered] == ["ada@example.com"]


def test_what_is_not_due_taken_back_or_a_note_stays(post, clock):
    later = reply(opened(), by=agent(), text="Later.", send_at=NOW + timedelta(hours=1))
    undone = reply(opened(), by=(by := agent()), text="Undone.")
    take_back(undone, by=by)
    assert not send_messages()
    assert post.delivered == []
    clock.move_to(NOW + timedelta(hours=1))
    send_messages()
    later.refresh_from_db()
    assert (later.delivery, len(post.delivered)) == ("sent", 1)


def test_scheduled_answer_moves_its_ticket_when_it_is_sent(post, clock):
    ticket = opened()
    reply(ticket, by=agent(), text="x", then_status=Status.SOLVED, send_at=NOW + timedelta(hours=1))
    assert ticket.status == Status.NEW
    clock.move_to(NOW + timedelta(hours=2))
    send_messages()
    ticket.refresh_from_db()
    assert ticket.status == Status.SOLVED
    assert ticket.first_response_at == NOW + timedelta(hours=2)
    assert ticket.unanswered_since is None


def test_refused_address_fails_and_the_ticket_is_ours_again(post):
    post.answers["ada@example.com"] = "550 5.1.1 no such user"
    message = sent(answer())
    message.ticket.refresh_from_db()
    assert message.delivery == "failed"
    assert message.delivery_error == "ada@example.com: 550 5.1.1 no such user"
    assert message.ticket.status == Status.OPEN
    assert message.ticket.unanswered_since is not None
    event = TicketEvent.objects.get(ticket=message.ticket, kind="delivery")
    assert event.data == {"message": message.pk, "state": "failed"}
    assert not send_messages()


def test_refused_text_fails(post):
    post.answers["data"] = "554 this is spam"
    message = sent(answer())
    assert (message.delivery, message.delivery_error) == ("failed", "554 this is spam")


@pytest.mark.parametrize("where", ["ada@example.com", "data"])
def test_busy_server_gets_it_later(post, clock, where):
    post.answers[where] = "451 come back later"
    message = sent(answer())
    assert message.delivery == "queued"
    assert message.send_at == NOW + timedelta(minutes=1)
    assert "451 come back later" in message.delivery_error
    first_id = message.message_id
    post.delivered.clear()
    post.answers.clear()
    clock.move_to(NOW + timedelta(minutes=1))
    message = sent(message)
    assert (message.delivery, message.message_id, message.attempts) == ("sent", first_id, 2)
    assert len(post.delivered) == 1


def test_server_that_is_away_gets_it_later(post, settings, clock):
    settings.EMAIL_PORT = free_port()
    message = sent(answer())
    assert (message.delivery, message.attempts) == ("queued", 1)
    assert "refused" in message.delivery_error


def test_after_a_day_of_attempts_it_fails(post, settings, clock):
    settings.EMAIL_PORT = free_port()
    message = answer()
    for attempts in range(1, 29):
        message = sent(message)
        clock.move_to(timezone.now() + pause_after(attempts))
    assert (message.delivery, message.attempts) == ("failed", 28)
    assert timedelta(hours=20) < timezone.now() - NOW < timedelta(hours=30)


@given(st.integers(1, 1_000))
def test_pauses_grow_to_an_hour(attempts):
    assert timedelta(minutes=1) <= pause_after(attempts) <= timedelta(hours=1)
    assert pause_after(attempts) <= pause_after(attempts + 1)


@pytest.mark.parametrize("error", [smtplib.SMTPServerDisconnected("gone"), TimeoutError("late")])
def test_line_lost_while_sending_is_not_sent_twice(post, monkeypatch, error):
    def lost(*_, **__):
        raise error

    monkeypatch.setattr(smtplib.SMTP, "sendmail", lost)
    message = sent(answer())
    assert message.delivery == "failed"
    assert (
        message.delivery_error
        == f"{error} It may have arrived or not: look before you send it again."
    )
    monkeypatch.undo()
    assert not send_messages()
    assert post.delivered == []


def test_line_that_was_hung_up_between_two_mails_is_opened_anew(post, monkeypatch):
    closed = []

    def noop(self):
        closed.append(self)
        raise smtplib.SMTPServerDisconnected

    monkeypatch.setattr(smtplib.SMTP, "noop", noop)
    first, second = (
        answer(),
        answer(ticket=opened(customer=None, requester_address="bob@example.com")),
    )
    send_messages()
    assert len(closed) == 1
    assert len(post.delivered) == 2
    assert {m.delivery for m in Message.objects.filter(pk__in=[first.pk, second.pk])} == {"sent"}


def test_message_of_a_killed_worker_is_told_and_not_sent_twice(post, clock):
    message = answer()
    Message.objects.filter(pk=message.pk).update(delivery="sending", sending_since=NOW)
    clock.move_to(NOW + timedelta(minutes=9))
    assert settle_lost() == 0
    clock.move_to(NOW + timedelta(minutes=11))
    assert settle_lost() == 1
    send_messages()
    message.refresh_from_db()
    assert (message.delivery, post.delivered) == ("failed", [])
    assert message.delivery_error == (
        "The worker was stopped while it sent this."
        " It may have arrived or not: look before you send it again."
    )


def test_worker_that_comes_late_changes_nothing(post, clock, monkeypatch):
    message = answer()
    wires = outgoing.sending.Wires()
    claimed = outgoing.sending._claim()
    clock.move_to(NOW + timedelta(minutes=11))
    settle_lost()
    outgoing.sending.settle(claimed, outgoing.sending._attempt(claimed, wires))
    wires.__exit__()
    message.refresh_from_db()
    assert message.delivery == "failed"


def test_failed_answer_is_sent_again_by_a_person_under_its_id(post):
    post.answers["ada@example.com"] = "550 no such user"
    message = sent(answer(by=(by := agent())))
    post.answers.clear()
    with pytest.raises(PermissionDenied):
        send_again(message, by=staff(Role.AUDITOR))
    first_id = message.message_id
    message = sent(send_again(message, by=by))
    assert (message.delivery, message.message_id, message.delivery_error) == ("sent", first_id, "")
    with pytest.raises(MoveError):
        send_again(message, by=by)


def test_answer_to_ourselves_is_not_sent(post):
    message = sent(answer(ticket=opened(customer=None, requester_address=SUPPORT)))
    assert (message.delivery, post.delivered) == ("failed", [])
    assert message.delivery_error == "It would come back to us: the address is our own."


def test_channel_without_a_way_out_fails_and_says_so(post):
    message = sent(answer(channel="telegram"))
    assert message.delivery == "failed"
    assert message.delivery_error == "No way out is set up for telegram."


@pytest.mark.parametrize("channel", ["web", "api", "staff"])
def test_who_asked_elsewhere_is_answered_by_mail(post, channel):
    assert sent(answer(ticket=opened(channel=channel))).delivery == "sent"


def test_queue_s_own_address_is_the_sender(post):
    ticket = opened()
    type(ticket.queue).objects.update(email="sales@amends.example")
    sent(answer(ticket=ticket))
    assert b"From: Amends <sales@amends.example>" in post.delivered[0][1]


def test_fault_of_ours_is_told_and_holds_up_no_other(post, monkeypatch):
    broken = answer()
    whole = answer(ticket=opened(customer=None, requester_address="bob@example.com"))
    real = outgoing.sending.outgoing_of

    def sometimes(message):
        if message.pk == broken.pk:
            raise ZeroDivisionError
        return real(message)

    monkeypatch.setattr(outgoing.sending, "outgoing_of", sometimes)
    send_messages()
    whole.refresh_from_db()
    broken.refresh_from_db()
    assert (whole.delivery, broken.delivery) == ("sent", "queued")
    assert broken.send_at > timezone.now()
