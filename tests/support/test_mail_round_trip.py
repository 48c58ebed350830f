"""A customer's mail and our answers, through real servers: SMTP, IMAP, and back."""

import smtplib
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from support.addresses import mailboxes, without_tag
from support.intake import fetch_mail, handle_inbound
from support.models import Message, Ticket
from support.models.ticket import Status
from support.outgoing import send_messages
from support.tickets import reply
from tests.channels.odd_mail import PNG, bounce
from tests.customers.factories import CustomerFactory
from tests.support.factories import agent
from tests.support.mail_servers import SUPPORT, imap_server, smtp_server

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "ada@example.com"


@pytest.fixture(scope="module")
def servers():
    with imap_server() as imap, smtp_server() as post:
        yield imap, post


@pytest.fixture
def post(servers, settings):
    imap, post = servers
    post.delivered.clear()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", post.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.SUPPORT_EMAIL = SUPPORT
    settings.SUPPORT_MAILBOXES = [imap.url()]
    return post


@pytest.fixture
def carry(servers):
    """What the mail servers between do: what was sent to us lies in our mailbox, once."""

    def carry():
        imap, post = servers
        mine = [raw for address, raw in post.delivered if without_tag(address) == SUPPORT]
        post.delivered[:] = [one for one in post.delivered if without_tag(one[0]) != SUPPORT]
        imap.put(*mine)
        for mailbox in mailboxes():
            fetch_mail(mailbox)
        handle_inbound()

    return carry


def send(post, mail):
    with smtplib.SMTP("127.0.0.1", post.port) as line:
        line.send_message(mail)


def answer_to(raw, text, sender=ADA):
    """What a mail program makes of the mail `raw`: Reply-To, subject, references, quote."""
    ours = message_from_bytes(raw, policy=default)
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ours["Reply-To"] or ours["From"]
    mail["Subject"] = f"Re: {ours['Subject']}"
    mail["Message-ID"] = f"<{abs(hash(text))}@example.com>"
    mail["In-Reply-To"] = ours["Message-ID"]
    mail["References"] = " ".join(filter(None, [ours["References"], ours["Message-ID"]]))
    quoted = "".join(f"> {line}\n" for line in ours.get_body(("plain",)).get_content().splitlines())
    mail.set_content(
        f"{text}\n\nOn Sat, Nov 21, 2026 at 10:00 AM Amends <{SUPPORT}> wrote:\n{quoted}"
    )
    return mail


def test_conversation_holds_through_real_servers(post, carry):
    ada = CustomerFactory.create(email=ADA, language="en")
    mail = EmailMessage()
    mail["From"], mail["To"] = f"Ada Weber <{ADA}>", SUPPORT
    mail["Subject"], mail["Message-ID"] = "No internet", "<first@example.com>"
    mail.set_content("Nothing works since two.")
    mail.add_attachment(PNG, maintype="image", subtype="png", filename="router.png")
    send(post, mail)
    carry()
    ticket = Ticket.objects.get()
    assert (ticket.customer, ticket.subject, ticket.status) == (ada, "No internet", Status.NEW)
    assert [one.name for one in ticket.messages.get(direction="in").attachments.all()] == [
        "router.png"
    ]
    send_messages()
    (acknowledgement,) = post.to(ADA)
    assert ticket.number in message_from_bytes(acknowledgement, policy=default)["Subject"]

    reply(ticket, by=agent(), text="Is it plugged in?")
    Message.objects.filter(delivery="queued").update(send_at=timezone.now())
    send_messages()
    answer = post.to(ADA)[-1]
    assert b"Is it plugged in?" in answer
    ticket.refresh_from_db()
    assert ticket.status == Status.WAITING

    send(post, answer_to(answer, "Yes, it is."))
    carry()
    ticket.refresh_from_db()
    assert Ticket.objects.count() == 1
    assert (ticket.status, ticket.messages.order_by("-id")[0].text) == (Status.OPEN, "Yes, it is.")
    send_messages()
    assert len(post.to(ADA)) == 2  # the acknowledgement and the answer, no more

    reply(ticket, by=agent(), text="Then it is us: sorry.", then_status=Status.SOLVED)
    Message.objects.filter(delivery="queued").update(send_at=timezone.now())
    send_messages()
    post.delivered.append((SUPPORT, bounce(post.to(ADA)[-1])))
    carry()
    ticket.refresh_from_db()
    assert ticket.status == Status.SOLVED
    assert Ticket.objects.count() == 1
    assert list(ticket.messages.filter(delivery="bounced").values_list("text", flat=True)) == [
        "Then it is us: sorry."
    ]


def test_two_machines_that_answer_each_other_soon_stop(post, carry):
    """A machine that hides what it is, and takes every answer of ours for a new matter."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ADA, SUPPORT, "Your request 1"
    mail["Message-ID"] = "<machine-0@example.com>"
    mail.set_content("We have got your request.")
    send(post, mail)
    for number in range(1, 30):
        carry()
        send_messages()
        if len(post.to(ADA)) < number:
            break
        mail.replace_header("Message-ID", f"<machine-{number}@example.com>")
        send(post, mail)
    assert len(post.to(ADA)) == 10


def test_command_fetches_handles_and_tells(post, servers, capsys):
    imap, _ = servers
    imap.put(b"From: ada@example.com\r\nMessage-ID: <command@example.com>\r\n\r\nHello.")
    call_command("fetch_mail")
    assert capsys.readouterr().out == f"{SUPPORT}: 1 fetched\n"
    assert Ticket.objects.get().requester_address == ADA
    call_command("fetch_mail", SUPPORT)
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        ([], "no such mailbox"),
        (["pop3://x"], "begins with imaps"),
        ([f"imap://support:x@127.0.0.1:9/?address={SUPPORT}"], "refused"),
    ],
)
def test_command_says_what_is_wrong(settings, urls, words):
    settings.SUPPORT_MAILBOXES = urls
    with pytest.raises(CommandError, match=words):
        call_command("fetch_mail")
